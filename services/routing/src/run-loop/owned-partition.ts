// One partition of the run log in the hands of its owner: the pure run loop of the engine with bus and store around it.
//   W1. Records are applied in the order of the log, each once; a record that cannot be read goes to the dead letters and is passed.
//   W2. A snapshot is committed only when every output of what it holds is durable (L3).
//   W3. When an output cannot be published the partition is given up: memory is ahead of the topics, and the log still has the cause.
import type { Bus, BusRecord, OutgoingRecord } from '@baton/bus/bus'
import { DEFAULT_TENANT, type FaultData } from '@baton/contracts'
import { PartitionRuns, type Applied, type EngineInput, type PartitionSnapshot } from '@baton/engine'
import type { PartitionLease, RunStore } from '@baton/store'
import { deadLetterOf, readLogRecord } from './log-records.ts'
import { encodeOutput } from './outputs.ts'
import type { ProgramCache } from './program-cache.ts'
import { timerRecord } from './timers.ts'

/** Outputs published and not acknowledged before no more records are taken (back-pressure). */
const UNACKED_MAX = 5_000

export type PartitionDeps = {
  readonly bus: Bus
  readonly runs: RunStore
  readonly programs: ProgramCache
  readonly nowMs: () => number
  /** W3: called once, with the reason. */
  readonly onBroken: (reason: unknown) => void
}

export type OwnedPartition = {
  readonly lease: PartitionLease
  /** Loads what the records need, applies them, publishes what they cause without waiting for it. */
  take(records: readonly BusRecord[]): Promise<void>
  snapshot(): PartitionSnapshot | null
  /** Resolves when the snapshot may be committed (W2), or the partition was stopped. */
  durable(snapshot: PartitionSnapshot): Promise<void>
  committed(snapshot: PartitionSnapshot): void
  abandoned(snapshot: PartitionSnapshot): void
  nextWakeAtMs(): number | null
  /** Appends due timers to the partition. */
  wake(): void
  stats(): ReturnType<PartitionRuns['stats']>
  /** Nothing is applied or published any more. */
  stop(): void
}

const isInput = (input: EngineInput | FaultData): input is EngineInput => 'offset' in input

/** Takes a partition over: due times from the store, position from the lease. */
export const openPartition = async (lease: PartitionLease, deps: PartitionDeps): Promise<OwnedPartition> => {
  const { partition } = lease
  const runs = new PartitionRuns({ partition, next: lease.next, ownedSinceMs: deps.nowMs(), programs: (hash) => deps.programs.get(hash) })
  runs.armed(await deps.runs.timers(partition))
  const waiting = new Set<() => void>()
  let stopped = false

  const publish = (records: readonly OutgoingRecord[], ticket: number): void => {
    deps.bus.publish(records).then(
      () => {
        runs.acked(ticket)
        for (const check of waiting) check()
      },
      (error: unknown) => {
        if (stopped) return
        stopped = true
        deps.onBroken(error) // W3
      },
    )
  }

  const load = async (inputs: readonly EngineInput[]): Promise<void> => {
    for (let missing = runs.missing(inputs); missing !== null && !stopped; missing = runs.missing(inputs)) {
      const { runIds, planHashes } = missing
      const gone = await deps.programs.load(planHashes)
      const rows = runIds.length === 0 ? [] : await deps.runs.load(runIds)
      runs.withoutPlan(gone)
      if (runIds.length > 0) runs.loaded({ runIds, rows })
    }
  }

  const encode = (record: BusRecord, { outputs, refused }: Applied): readonly OutgoingRecord[] => {
    const place = { tenant: record.headers['ce_tenant'] ?? DEFAULT_TENANT, partition, time: new Date(record.timestampMs).toISOString() }
    const encoded = outputs.flatMap((output) => encodeOutput(output, place))
    return refused === undefined ? encoded : [...encoded, deadLetterOf(record, refused)]
  }

  /** In one turn of the event loop: state and position move together. */
  const applyAll = (records: readonly BusRecord[], inputs: readonly (EngineInput | FaultData)[]): void => {
    const published: OutgoingRecord[] = []
    let ticket = 0
    for (const [index, record] of records.entries()) {
      const input = inputs[index]
      if (input === undefined) continue
      const applied = isInput(input) ? runs.apply(input) : { ...runs.skip({ offset: record.offset }), refused: input } // W1
      ticket = applied.ticket
      published.push(...encode(record, applied))
    }
    if (published.length > 0) publish(published, ticket)
  }

  const settled = (ready: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!ready()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })

  return {
    lease,
    take: async (records) => {
      const inputs = records.map(readLogRecord)
      await load(inputs.filter(isInput))
      if (stopped) return
      applyAll(records, inputs)
      if (runs.stats().unacked > UNACKED_MAX) await settled(() => stopped || runs.stats().unacked < UNACKED_MAX / 2)
    },
    snapshot: () => (stopped ? null : runs.snapshot()),
    durable: (snapshot) => settled(() => stopped || runs.mayCommit(snapshot)), // W2
    committed: (snapshot) => runs.committed(snapshot),
    abandoned: (snapshot) => runs.abandoned(snapshot),
    nextWakeAtMs: () => runs.nextWakeAtMs(),
    wake: () => {
      if (stopped) return
      const nowMs = deps.nowMs()
      const due = runs.wakeups(nowMs)
      if (due.length === 0) return
      const place = { partition, tenant: DEFAULT_TENANT, time: new Date(nowMs).toISOString() }
      // A wake-up that gets lost is given again (engine, P5): its failure needs no handling.
      deps.bus.publish(due.map((timer) => timerRecord(timer, place))).catch(() => undefined)
    },
    stats: () => runs.stats(),
    stop: () => {
      stopped = true
      for (const check of waiting) check()
    },
  }
}
