// A world for the run loop: the real embedded bus, a real store, and processes in it that can be cut off as by kill -9.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus } from '@baton/bus'
import type { Bus, BusRecord, LogOptions, OutgoingRecord } from '@baton/bus/bus'
import {
  decodeEvent,
  encodeEvent,
  Fault,
  partitionOf,
  runIdOf,
  TOPICS,
  topicManifest,
  type Event,
  type Json,
  type RunResult,
} from '@baton/contracts'
import { compileFlow, loadProgram, type Program } from '@baton/flow'
import { createPlanCache, type Platform } from '@baton/service'
import { openPglite, openStore, type Database, type Stores } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { createProgramCache, type ProgramCache } from './program-cache.ts'

export const PARTITIONS = 3
const TENANT = 'default'

/** What may happen to one process. */
export type Faults = {
  /** Publishes that fail from now on, by the outgoing records. */
  failPublish: (records: readonly OutgoingRecord[]) => Fault | undefined
  /** While set, what was published is durable, but the process does not hear of it. */
  acksHeld: Promise<void> | undefined
  /** While set, reading run states waits for it. */
  loadsHeld: Promise<void> | undefined
  /** Everything this process tried to publish. */
  readonly tried: OutgoingRecord[]
}

export type Process = { readonly platform: Platform; readonly faults: Faults; readonly kill: () => void }

export type World = {
  readonly bus: Bus
  readonly stores: Stores
  readonly db: Database
  /** A process with connections of its own. */
  process(options?: { readonly db?: Database }): Promise<Process>
  /** Compiles and publishes a flow; its plan hash. */
  publishFlow(text: string): Promise<{ readonly hash: string; readonly version: string; readonly flow: string }>
  /** Begins a run on a partition; its id. */
  begin(
    flow: { readonly hash: string; readonly version: string; readonly flow: string },
    request: { readonly partition?: number; readonly input?: Json },
  ): Promise<string>
  /** Answers every command for a tool from now on, with `{ n: 1 }`. */
  serveTools(): Promise<{ readonly asked: string[]; close(): Promise<void> }>
  records(topic: string): Promise<readonly BusRecord[]>
  events(topic: string): Promise<readonly Event[]>
  resultOf(runId: string): Promise<RunResult>
  position(partition: number): Promise<number>
  close(): Promise<void>
}

/** Waits until it holds; the timeout of the test ends a wait in vain. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A promise and the way to settle it. */
export const gate = (): { readonly passed: Promise<void>; readonly open: () => void } => {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

const never = new Promise<never>(() => undefined)

type Switch = { readonly faults: Faults; dead: boolean }

const faultyBus = (bus: Bus, power: Switch): Bus => ({
  ...bus,
  publish: async (records) => {
    if (power.dead) return never
    power.faults.tried.push(...records)
    const fault = power.faults.failPublish(records)
    if (fault !== undefined) throw fault
    const places = await bus.publish(records)
    await power.faults.acksHeld
    return power.dead ? never : places
  },
  log: (options: LogOptions) =>
    bus.log({ ...options, onBatch: (partition, records) => (power.dead ? undefined : options.onBatch(partition, records)) }),
  lanes: (options) => bus.lanes(options),
  table: (options) => bus.table(options),
  describe: (topic) => bus.describe(topic),
  read: (position) => bus.read(position),
  partitions: (topic) => bus.partitions(topic),
  trim: () => undefined, // Positions outside the log are made by the tests themselves.
  close: () => bus.close(),
})

/** Calls of a dead process never end; that of a living one may be held up. */
const faultyStores = (stores: Stores, power: Switch): Stores => {
  const alive =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (power.dead) return never
      const answer = await call(...args)
      return power.dead ? never : answer
    }
  const { leases, runs } = stores
  return {
    ...stores,
    leases: {
      install: alive(leases.install),
      acquire: alive(leases.acquire),
      renew: alive(leases.renew),
      release: alive(leases.release),
      suspect: alive(leases.suspect),
    },
    runs: {
      checkpoint: alive(runs.checkpoint),
      load: alive(async (ids) => {
        await power.faults.loadsHeld
        return runs.load(ids)
      }),
      timers: alive(runs.timers),
    },
  }
}

/** Opens it; `db` replaces PGlite in memory. */
export const openWorld = async ({ db: given }: { readonly db?: Database } = {}): Promise<World> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-routing-'))
  const bus = await openEmbeddedBus({
    dir: join(dir, 'log'),
    topics: topicManifest({ eventsPartitions: PARTITIONS }),
    segmentBytesMax: 8 << 20,
  })
  const db = given ?? (await openPglite())
  const stores = await openStore(db)
  const telemetry = openTelemetry({ service: 'spec', level: process.env['SPEC_LOG'] === undefined ? 'silent' : 'warn' })
  const config = {
    topicPrefix: '',
    flowsDir: dir,
    configDir: dir,
    dataDir: dir,
    embedded: true,
    drainMs: 1_000,
    requestBytesMax: 65_536,
    inlineBytesMax: 4_096,
  }
  const records = async (topic: string): Promise<readonly BusRecord[]> => {
    const { partitions } = await bus.describe(topic)
    const read = await Promise.all(partitions.map(({ partition, first }) => bus.read({ topic, partition, offset: first, limit: 100_000 })))
    return read.flat()
  }
  const events = async (topic: string): Promise<readonly Event[]> => (await records(topic)).map(decodeEvent)
  let requests = 0

  return {
    bus,
    stores,
    db,
    process: async ({ db: own } = {}) => {
      const power: Switch = { dead: false, faults: { failPublish: () => undefined, acksHeld: undefined, loadsHeld: undefined, tried: [] } }
      const platform: Platform = {
        bus: faultyBus(bus, power),
        db: own ?? db,
        stores: faultyStores(await openStore(own ?? db), power),
        telemetry,
        config,
        nowMs: Date.now,
        call: () => Promise.resolve({ status: 404, body: '{}', contentType: 'application/json' }),
      }
      return { platform, faults: power.faults, kill: () => void (power.dead = true) }
    },
    publishFlow: async (text) => {
      const plan = planOf(text)
      await stores.flows.publish({
        tenant: TENANT,
        flow: plan.flow,
        version: plan.version,
        hash: plan.hash,
        body: JSON.stringify(plan),
        alias: 'stable',
        replace: true,
        by: 'spec',
      })
      return plan
    },
    begin: async (flow, { partition, input = {} }) => {
      let runId = ''
      do {
        requests += 1
        runId = runIdOf({ tenant: TENANT, source: 'spec', requestId: `r-${requests}` })
      } while (partition !== undefined && partitionOf(runId, PARTITIONS) !== partition)
      await bus.publish([requestRecord({ runId, requestId: `r-${requests}`, flow, input })])
      return runId
    },
    serveTools: async () => serveTools(bus),
    records,
    events,
    resultOf: async (runId) => {
      for (;;) {
        const found = (await events(TOPICS.results)).find(({ subject }) => subject === runId)
        // Results alone lie on this topic; the four messages share one schema.
        if (found !== undefined) return found.data as RunResult
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    position: async (partition) => {
      const { rows } = await db.query<{ next: string }>('select next from log_partitions where partition = $1', [partition])
      return Number(rows[0]?.next ?? -1)
    },
    close: async () => {
      await bus.close()
      await db.close()
      await telemetry.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const planOf = (text: string) => {
  const compiled = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml', defaults: { model: 'small' } })
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  return compiled.plan
}

type Request = {
  readonly runId: string
  readonly requestId: string
  readonly flow: { readonly hash: string; readonly version: string; readonly flow: string }
  readonly input: Json
}

/** `run.requested` as the gateway makes it. */
export const requestRecord = ({ runId, requestId, flow, input }: Request): OutgoingRecord => ({
  topic: TOPICS.events,
  ...encodeEvent({
    name: 'run.requested',
    data: {
      runId,
      requestId,
      tenant: TENANT,
      source: 'spec',
      flow: flow.flow,
      version: flow.version,
      planHash: flow.hash,
      engineVersion: 1,
      params: {},
      input,
      priority: 'normal',
      labels: {},
      requestedAtMs: Date.now(),
      repeat: false,
    },
    id: `${runId}/requested`,
    source: '/spec',
    subject: runId,
    tenant: TENANT,
  }),
})

/** A worker for tool commands, at least once and with duplicates dropped by nobody. */
const serveTools = async (bus: Bus): Promise<{ readonly asked: string[]; close(): Promise<void> }> => {
  const asked: string[] = []
  const topic = 'baton.tools.commands'
  const reader = await bus.log({
    topic,
    onFault: () => undefined,
    onBatch: async (_partition, batch) => {
      await bus.publish(
        batch.map((record) => {
          const event = decodeEvent(record)
          if (event.name !== 'tool.call') throw new Error(`${event.name} is no command for tools`)
          const { runId, attemptId, answerPartition } = event.data
          asked.push(attemptId)
          const answer = encodeEvent({
            name: 'step.completed',
            data: { runId, attemptId, output: { n: 1 }, by: 'tool:spec' },
            id: `${attemptId}/completed/0`,
            source: '/spec',
            subject: runId,
            tenant: TENANT,
          })
          return { topic: TOPICS.events, partition: answerPartition, ...answer }
        }),
      )
    },
  })
  const { partitions } = await bus.describe(topic)
  await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
  return { asked, close: () => reader.close() }
}

/** The programs of the store, some of them changed. */
export const changedPrograms = (platform: Platform, change: (program: Program) => Program): ProgramCache => {
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
  get plan(): Program['plan'] {
    throw new TypeError('a bug of the engine')
  },
})

export { loadProgram, planOf }
