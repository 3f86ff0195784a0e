// A process that owns one partition, cut into the effects between which it may die: apply, produce, acknowledge, snapshot, store.
import { PartitionRuns, type LogMessage, type Output, type PartitionSnapshot } from '@baton/engine'
import type { Broker } from './broker.ts'
import { PROGRAMS } from './flows.ts'
import type { Promises } from './promises.ts'
import type { Store } from './store.ts'

type Sending = { readonly ticket: number; readonly output?: Output; readonly timer?: LogMessage }

export type Owner = {
  readonly partition: number
  /** What it could do next, by name. An owner whose lease is gone notices when it stores. */
  readonly actions: () => readonly string[]
  readonly act: (action: string) => void
  readonly nextWakeAtMs: () => number | null
  readonly alive: () => boolean
}

export type World = {
  readonly broker: Broker
  readonly store: Store
  readonly promises: Promises
  readonly nowMs: () => number
  readonly batch: () => number
}

/** Takes a partition over from whoever had it. */
export const takeOver = (partition: number, { broker, store, promises, nowMs, batch }: World): Owner => {
  const { epoch, next } = store.takeOver(partition)
  const runs = new PartitionRuns({
    partition,
    next,
    ownedSinceMs: nowMs(),
    programs: (hash) => PROGRAMS.get(hash),
    residentMax: 3,
    forgottenMax: 2,
  })
  runs.armed(store.timers(partition))
  const sending: Sending[] = []
  const unacked: number[] = []
  const applied: Output[] = []
  let snapshot: { readonly of: PartitionSnapshot; readonly outputs: readonly Output[]; stored: boolean } | null = null
  let alive = true

  const apply = (): void => {
    const records = broker.read(partition, runs.next, batch())
    for (let missing = runs.missing(records); missing !== null; missing = runs.missing(records)) {
      runs.loaded({ runIds: missing.runIds, rows: store.load(missing.runIds) })
      runs.withoutPlan(missing.planHashes)
    }
    for (const record of records) {
      const { outputs, refused, ticket } = runs.apply(record)
      promises.applied(record, outputs, refused)
      applied.push(...outputs)
      for (const output of outputs) sending.push({ ticket, output })
      // A dead letter is published too; nobody reads it here.
      if (refused !== undefined) sending.push({ ticket })
    }
  }
  const produce = (): void => {
    const first = sending.shift()
    if (first === undefined) return
    if (first.output !== undefined) broker.publish(first.output, partition)
    if (first.timer !== undefined) broker.append(first.timer, partition)
    if (first.ticket > 0 && sending[0]?.ticket !== first.ticket) unacked.push(first.ticket)
  }
  const commit = (): void => {
    if (snapshot === null) return
    if (!store.commit(snapshot.of, epoch)) {
      alive = false
      return
    }
    promises.stored(snapshot.of, snapshot.outputs)
    snapshot.stored = true
  }
  const wake = (): void => {
    for (const data of runs.wakeups(nowMs())) sending.push({ ticket: 0, timer: { name: 'timer.matured', data } })
  }
  const wakeAt = (): number => runs.nextWakeAtMs() ?? Infinity

  const can: Record<string, () => boolean> = {
    apply: () => broker.next(partition) > runs.next,
    produce: () => sending.length > 0,
    acknowledge: () => unacked.length > 0,
    snapshot: () => snapshot === null && runs.stats().uncommitted > 0,
    commit: () => snapshot !== null && !snapshot.stored && runs.mayCommit(snapshot.of),
    settle: () => snapshot !== null && snapshot.stored,
    wake: () => wakeAt() <= nowMs(),
  }
  const does: Record<string, () => void> = {
    apply,
    produce,
    acknowledge: () => runs.acked(unacked.shift() ?? 0),
    snapshot: () => {
      const of = runs.snapshot()
      if (of !== null) snapshot = { of, outputs: applied.splice(0), stored: false }
    },
    commit,
    settle: () => {
      if (snapshot !== null) runs.committed(snapshot.of)
      snapshot = null
    },
    wake,
  }
  return {
    partition,
    alive: () => alive,
    actions: () => (alive ? Object.keys(can).filter((action) => can[action]?.() === true) : []),
    act: (action) => does[action]?.(),
    nextWakeAtMs: () => runs.nextWakeAtMs(),
  }
}
