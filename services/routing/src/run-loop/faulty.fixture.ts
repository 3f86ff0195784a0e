// One process as the world sees it: bus and stores that can fail, be slow to answer, or fall silent as at kill -9.
import type { Bus, OutgoingRecord } from '@baton/bus/bus'
import { Fault } from '@baton/contracts'
import type { Stores } from '@baton/store'

/** What may happen to a process. */
export type Faults = {
  /** Cut off, which for everybody else is as good as dead: nothing it does has an effect, nothing reaches it. */
  dead: boolean
  /** A publish that fails, by its records. */
  failPublish: (records: readonly OutgoingRecord[]) => Fault | undefined
  /** While set, what was published is durable, but the process does not hear of it. */
  acksHeld: Promise<void> | undefined
  /** Whether it still hears of the log while it is cut off. */
  hears: boolean
  /** While set, renewing leases waits for it. */
  leasesHeld: Promise<void> | undefined
  /** While set, reading run states waits for it. */
  loadsHeld: Promise<void> | undefined
  /** Everything this process tried to publish. */
  readonly tried: OutgoingRecord[]
}

export const noFaults = (): Faults => ({
  dead: false,
  hears: false,
  failPublish: () => undefined,
  acksHeld: undefined,
  leasesHeld: undefined,
  loadsHeld: undefined,
  tried: [],
})

const cutOff = (): Fault => new Fault('store.unavailable', 'this process is cut off')

/** The bus through a process's eyes. It reclaims nothing: positions outside the log are made by the specs themselves. */
export const faultyBus = (bus: Bus, faults: Faults): Bus => ({
  publish: async (records) => {
    if (faults.dead) throw cutOff()
    faults.tried.push(...records)
    const fault = faults.failPublish(records)
    if (fault !== undefined) throw fault
    const places = await bus.publish(records)
    await faults.acksHeld
    if (faults.dead) throw cutOff()
    return places
  },
  log: (options) =>
    bus.log({
      ...options,
      onBatch: (partition, records) => (faults.dead && !faults.hears ? undefined : options.onBatch(partition, records)),
    }),
  lanes: (options) => bus.lanes(options),
  table: (options) => bus.table(options),
  describe: (topic) => bus.describe(topic),
  read: (position) => bus.read(position),
  partitions: (topic) => bus.partitions(topic),
  findTopic: (topic) => bus.findTopic(topic),
  close: () => bus.close(),
})

/** The stores through a process's eyes. */
export const faultyStores = (stores: Stores, faults: Faults): Stores => {
  const whileAlive = async <R>(call: () => Promise<R>): Promise<R> => {
    if (faults.dead) throw cutOff()
    const answer = await call()
    if (faults.dead) throw cutOff()
    return answer
  }
  const { leases, runs } = stores
  return {
    ...stores,
    leases: {
      install: (options) => whileAlive(() => leases.install(options)),
      engineVersion: (prefix) => leases.engineVersion(prefix),
      raiseEngine: (options) => leases.raiseEngine(options),
      acquire: (options) => whileAlive(() => leases.acquire(options)),
      renew: (options) =>
        whileAlive(async () => {
          await faults.leasesHeld
          return leases.renew(options)
        }),
      release: (options) => whileAlive(() => leases.release(options)),
      suspect: (options) => whileAlive(() => leases.suspect(options)),
    },
    runs: {
      checkpoint: (change) => whileAlive(() => runs.checkpoint(change)),
      load: (runIds) =>
        whileAlive(async () => {
          await faults.loadsHeld
          return runs.load(runIds)
        }),
      timers: (partition) => whileAlive(() => runs.timers(partition)),
      retire: (change) => whileAlive(() => runs.retire(change)),
      ended: (options) => whileAlive(() => runs.ended(options)),
    },
  }
}
