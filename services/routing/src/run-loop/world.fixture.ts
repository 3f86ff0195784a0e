// A world for the run loop: the real embedded bus, a real store, and processes in it that can be cut off as by kill -9.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus } from '@baton/bus'
import type { Bus, BusRecord } from '@baton/bus/bus'
import {
  decodeEvent,
  encodeEvent,
  partitionOf,
  runIdOf,
  TOPICS,
  topicManifest,
  type Event,
  type Json,
  type RunResult,
} from '@baton/contracts'
import { compileFlow, type Plan, type Program } from '@baton/flow'
import { createPlanCache, type Platform } from '@baton/service'
import { openStore, type Database, type PartitionLease, type Stores } from '@baton/store'
import { openTelemetry, type Telemetry } from '@baton/telemetry'
import { faultyBus, faultyStores, noFaults, type Faults } from './faulty.fixture.ts'
import { createProgramCache, type ProgramCache } from './program-cache.ts'
import { startRunLoop, type RunLoop, type RunLoopOptions } from './run-loop.ts'

const PARTITIONS = 3
const TENANT = 'default'
const COMMANDS = 'baton.tools.commands'
const ORDINARY = { tenant: TENANT, source: 'spec', engineVersion: 1, params: {}, priority: 'normal', labels: {}, repeat: false } as const

export type Process = { readonly platform: Platform; readonly faults: Faults }

/** Shorter than the timeout of a test, so that a wait in vain ends with it. */
const WAIT_MS_MAX = 7_000

/** Waits until it holds. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const endMs = performance.now() + WAIT_MS_MAX; !(await holds());) {
    if (performance.now() > endMs) throw new Error(`waited in vain for ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A promise and the way to settle it. */
export const gate = (): { readonly passed: Promise<void>; readonly open: () => void } => {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

/** Opens it on a database, which stays open; what the run loop keeps in it is cleared. With `keepIn` everything is kept, in that directory. */
export const openWorld = async (db: Database, { keepIn }: { readonly keepIn?: string } = {}): Promise<World> => {
  const dir = keepIn ?? (await mkdtemp(join(tmpdir(), 'baton-routing-')))
  const topics = topicManifest({ eventsPartitions: PARTITIONS })
  const bus = await openEmbeddedBus({ dir: join(dir, 'log'), topics, segmentBytesMax: 8 << 20 })
  const stores = await openStore(db)
  if (keepIn === undefined) await db.query('truncate log_partitions, installations, run_states, ended_runs')
  return new World({ dir, kept: keepIn !== undefined, bus, db, stores })
}

type Parts = { readonly dir: string; readonly kept: boolean; readonly bus: Bus; readonly db: Database; readonly stores: Stores }

export class World {
  readonly bus: Bus
  readonly stores: Stores
  readonly #parts: Parts
  readonly #telemetry: Telemetry = openTelemetry({ service: 'spec', level: process.env['SPEC_LOG'] === undefined ? 'silent' : 'warn' })
  readonly #loops: RunLoop[] = []
  readonly #processes: Process[] = []
  #requests = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.bus = parts.bus
    this.stores = parts.stores
  }

  /** A process with a store of its own, on the same database unless `db` is given. */
  async process(db: Database = this.#parts.db): Promise<Process> {
    const { dir } = this.#parts
    const faults = noFaults()
    const platform: Platform = {
      bus: faultyBus(this.bus, faults),
      db,
      stores: faultyStores(await openStore(db), faults),
      telemetry: this.#telemetry,
      config: {
        topicPrefix: '',
        flowsDir: dir,
        configDir: dir,
        dataDir: dir,
        embedded: true,
        drainMs: 1_000,
        requestBytesMax: 65_536,
        inlineBytesMax: 4_096,
      },
      nowMs: Date.now,
      call: () => Promise.resolve({ status: 404, body: '{}', contentType: 'application/json' }),
    }
    const process = { platform, faults }
    this.#processes.push(process)
    return process
  }

  /** A run loop that is closed with the world. Its checkpoints are quick and its lease long, unless a spec wants otherwise. */
  async loop({ platform }: Process, options: Partial<RunLoopOptions> = {}): Promise<RunLoop> {
    const loop = await startRunLoop({ checkpointMs: 10, leaseMs: 60_000, pollMs: 10, ...options, platform })
    this.#loops.push(loop)
    return loop
  }

  /** Compiles and publishes a flow. */
  async publishFlow(text: string): Promise<Plan> {
    const compiled = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml', defaults: { model: 'small' } })
    if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
    const { plan } = compiled
    const { flow, version, hash } = plan
    await this.stores.flows.publish({
      tenant: TENANT,
      flow,
      version,
      hash,
      body: JSON.stringify(plan),
      alias: 'stable',
      replace: true,
      by: 'spec',
    })
    return plan
  }

  /** Appends `run.requested`, as the gateway does; the run's id. */
  async begin(
    { flow, version, hash: planHash }: Plan,
    { partition, input = { v: 0 } }: { partition?: number; input?: Json } = {},
  ): Promise<string> {
    let requestId = ''
    let runId = ''
    do {
      this.#requests += 1
      requestId = `r-${this.#requests}`
      runId = runIdOf({ tenant: TENANT, source: 'spec', requestId })
    } while (partition !== undefined && partitionOf(runId, PARTITIONS) !== partition)
    const event = encodeEvent({
      name: 'run.requested',
      data: { ...ORDINARY, runId, requestId, flow, version, planHash, input, requestedAtMs: Date.now() },
      id: `${runId}/requested`,
      source: '/spec',
      subject: runId,
      tenant: TENANT,
    })
    await this.bus.publish([{ topic: TOPICS.events, ...event }])
    return runId
  }

  /** Cancels a run that does not exist. */
  async cancelUnknown(partition: number): Promise<void> {
    const runId = runIdOf({ tenant: TENANT, source: 'spec', requestId: 'unknown' })
    const value = Buffer.from(JSON.stringify({ runId, by: 'spec', reason: 'none' }))
    await this.bus.publish([{ topic: TOPICS.events, partition, key: runId, headers: { ce_type: 'baton.run.cancel.v1' }, value }])
  }

  /** Answers every command for a tool from now on, with `{ n: 1 }`; what is asked twice is answered twice. */
  async serveTools(): Promise<{ readonly asked: readonly string[] }> {
    const asked: string[] = []
    const reader = await this.bus.log({
      topic: COMMANDS,
      onFault: () => undefined,
      onBatch: async (_partition, batch) => {
        asked.push(...batch.map(({ headers }) => headers['ce_id'] ?? ''))
        await this.bus.publish(batch.map(answerOf))
      },
    })
    const { partitions } = await this.bus.describe(COMMANDS)
    await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
    return { asked }
  }

  async records(topic: string): Promise<readonly BusRecord[]> {
    const { partitions } = await this.bus.describe(topic)
    const pages = await Promise.all(
      partitions.map(({ partition, first }) => this.bus.read({ topic, partition, offset: first, limit: 100_000 })),
    )
    return pages.flat()
  }

  async events(topic: string): Promise<readonly Event[]> {
    return (await this.records(topic)).map(decodeEvent)
  }

  /** The result of a run, once it is there. */
  async resultOf(runId: string): Promise<RunResult> {
    let found: Event | undefined
    await until(async () => {
      found = (await this.events(TOPICS.results)).find(({ subject }) => subject === runId)
      return found !== undefined
    })
    return found?.data as RunResult // Only results lie on this topic, and they share one schema.
  }

  /** What the database says of a partition. */
  async lease(partition: number): Promise<Pick<PartitionLease, 'next' | 'epoch' | 'suspectOffset' | 'crashCount'>> {
    const { rows } = await this.#parts.db.query<Record<'next' | 'epoch' | 'suspect' | 'crashes', string | null>>(
      'select next, epoch, suspect_offset as suspect, crash_count as crashes from log_partitions where partition = $1',
      [partition],
    )
    const [row] = rows
    const suspectOffset = row?.suspect == null ? null : Number(row.suspect)
    return { next: Number(row?.next), epoch: Number(row?.epoch), suspectOffset, crashCount: Number(row?.crashes) }
  }

  /** The end of a partition of the run log. */
  async logEnd(partition: number): Promise<number> {
    const { partitions } = await this.bus.describe(TOPICS.events)
    return partitions[partition]?.next ?? 0
  }

  /** Changes the database behind everybody's back. */
  async meddle(statement: string): Promise<void> {
    await this.#parts.db.query(statement)
  }

  async close(): Promise<void> {
    for (const { faults } of this.#processes) Object.assign(faults, noFaults(), { dead: faults.dead })
    await Promise.all(this.#loops.map((loop) => loop.close({ graceMs: 500 })))
    await this.bus.close()
    await this.#telemetry.close()
    if (!this.#parts.kept) await rm(this.#parts.dir, { recursive: true, force: true })
  }
}

const answerOf = (record: BusRecord) => {
  const event = decodeEvent(record)
  if (event.name !== 'tool.call') throw new Error(`${event.name} is no command for tools`)
  const { runId, attemptId, answerPartition } = event.data
  const answer = encodeEvent({
    name: 'step.completed',
    data: { runId, attemptId, output: { n: 1 }, by: 'tool:spec' },
    id: `${attemptId}/completed/0`,
    source: '/spec',
    subject: runId,
    tenant: TENANT,
  })
  return { topic: TOPICS.events, partition: answerPartition, ...answer }
}

/** The programs of the store, changed. */
export const changedPrograms = ({ platform }: Process, change: (program: Program) => Program): ProgramCache => {
  const programs = createProgramCache({ plans: createPlanCache(platform.stores.flows) })
  return {
    load: (hashes) => programs.load(hashes),
    get: (hash) => {
      const program = programs.get(hash)
      return program === undefined ? undefined : change(program)
    },
  }
}

/** A program with a bug that the engine does not foresee. */
export const brokenProgram = (program: Program): Program => ({
  ...program,
  get plan(): Plan {
    throw new TypeError('a bug of the engine')
  },
})
