// The run loop as a whole on a fake clock: clients, log, owners, store, workers and people, in an order chosen by the seed.
//   M1. Every choice comes from the seed: the same seed and number of steps give the same history.
//   M2. After the steps nothing fails any more, and every run that was requested comes to its one result.
import { decide, decodeState, encodeState, type LogMessage, type Output, type RunState } from '@baton/engine'
import { runIdOf } from '@baton/contracts/ids'
import { createBroker, PARTITIONS, type Broker } from './broker.ts'
import { PROGRAMS } from './flows.ts'
import { takeOver, type Owner } from './owner.ts'
import { BrokenPromise, createPromises, type Promises } from './promises.ts'
import { randomOf, type Random } from './random.ts'
import { createStore } from './store.ts'
import { createWorkers, type Workers } from './workers.ts'

export type SimulationOptions = { readonly seed: number; readonly steps: number; readonly trace?: (line: string) => void }
export type Summary = {
  readonly seed: number
  readonly runs: number
  readonly results: number
  readonly published: number
  readonly repeated: number
  readonly takeovers: number
  readonly simulatedMs: number
}

const START_MS = 1_700_000_000_000
/** Steps in which the rest must come to its end once nothing fails any more. */
const DRAIN_STEPS = 200_000
/** How far the clock of an intake is off. */
const SKEW_MS = 4_000

/** Plays one history. Throws `BrokenPromise` when one is broken. */
export const simulate = ({ seed, steps, trace = () => undefined }: SimulationOptions): Summary => {
  const world = createWorld(seed, trace)
  for (let step = 0; step < steps; step += 1) world.step(false)
  let left = DRAIN_STEPS
  while (world.unfinished()) {
    world.step(true)
    left -= 1
    if (left === 0) throw new BrokenPromise(`R4: without a result: ${world.promises.open().join(', ')}`)
  }
  world.replay()
  const { published, repeated, results } = world.promises.counts()
  return { seed, runs: world.runs(), results, published, repeated, takeovers: world.takeovers(), simulatedMs: world.nowMs() - START_MS }
}

type Actor = { readonly name: string; readonly weight: number; readonly act: () => void }

const createWorld = (seed: number, trace: (line: string) => void) => {
  const random = randomOf(seed)
  let nowMs = START_MS
  const clock = () => nowMs
  const promises = createPromises()
  const workers: Workers = createWorkers({ random, nowMs: clock, append: (message, partition) => broker.append(message, partition) })
  const broker: Broker = createBroker({ nowMs: clock, promises, workers })
  const store = createStore()
  const owning = { broker, store, promises, nowMs: clock, batch: () => 1 + random.below(5) }
  const owners = Array.from({ length: PARTITIONS }, (_, partition) => takeOver(partition, owning))
  /** Old owners that have not noticed yet. */
  let ghosts: Owner[] = []
  let takeovers = 0
  const clients = createClients({ random, broker, promises, nowMs: clock })

  const replace = (index: number, linger: boolean): void => {
    const owner = owners[index]
    if (owner === undefined) return
    if (linger) ghosts.push(owner)
    takeovers += 1
    owners[index] = takeOver(owner.partition, owning)
  }

  const ownerActors = (owner: Owner, name: string): readonly Actor[] =>
    owner
      .actions()
      .map((action) => ({
        name: `${name} ${action}`,
        weight: action === 'produce' || action === 'acknowledge' ? 6 : 3,
        act: () => owner.act(action),
      }))

  const faults = (): readonly Actor[] => [
    { name: 'request', weight: 0.4, act: clients.request },
    { name: 'request again', weight: 0.2, act: clients.again },
    { name: 'cancel', weight: 0.05, act: clients.cancel },
    { name: 'quarantine', weight: 0.02, act: clients.quarantine },
    { name: 'say again', weight: 0.3, act: () => clients.sayAgain(random.below(PARTITIONS)) },
    { name: 'answer for nobody', weight: 0.05, act: clients.nonsense },
    { name: 'crash', weight: 0.25, act: () => replace(random.below(PARTITIONS), false) },
    { name: 'lose the lease', weight: 0.15, act: () => replace(random.below(PARTITIONS), true) },
  ]

  const actors = (calm: boolean): readonly Actor[] => [
    ...owners.flatMap((owner, index) => ownerActors(owner, `owner ${index}`)),
    ...ghosts.flatMap((ghost) => ownerActors(ghost, 'ghost')),
    ...(workers.ready() > 0 ? [{ name: 'worker', weight: 2, act: () => workers.handle(calm) }] : []),
    ...(calm ? [] : faults()),
  ]

  const passTime = (): void => {
    const waits = [workers.nextAtMs(), ...owners.map((owner) => owner.nextWakeAtMs())].filter((atMs) => atMs !== null)
    nowMs = Math.max(nowMs + 1, Math.min(...waits, nowMs + 3_600_000))
    trace(`time passes to ${nowMs - START_MS}`)
  }

  return {
    promises,
    nowMs: clock,
    runs: clients.count,
    takeovers: () => takeovers,
    unfinished: () => promises.open().length > 0 || owners.some((owner) => owner.actions().length > 0),
    step: (calm: boolean): void => {
      nowMs += random.below(40)
      ghosts = ghosts.filter((ghost) => ghost.alive() && !random.chance(0.01))
      const possible = actors(calm)
      const busy = possible.some(({ name }) => name.startsWith('owner') || name === 'worker')
      if (!busy && (calm || random.chance(0.7))) return passTime()
      choose(random, possible, trace)
    },
    replay: () => promises.replayed(Array.from({ length: PARTITIONS }, (_, partition) => replay(broker, partition)).flat()),
  }
}

const choose = (random: Random, actors: readonly Actor[], trace: (line: string) => void): void => {
  let left = random.next() * actors.reduce((sum, { weight }) => sum + weight, 0)
  for (const { name, weight, act } of actors) {
    left -= weight
    if (left > 0) continue
    trace(name)
    act()
    return
  }
}

/** R9: the whole log decided in one go by one owner that never dies. */
const replay = (broker: Broker, partition: number): readonly Output[] => {
  const states = new Map<string, RunState>()
  const outputs: Output[] = []
  for (const record of broker.read(partition, 0, broker.next(partition))) {
    const { runId } = record.message.data
    const state = states.get(runId)
    const hash = record.message.name === 'run.requested' ? record.message.data.planHash : ''
    const program = PROGRAMS.get(state === undefined ? hash : planOf(state))
    if (program === undefined) continue
    const decision = decide(state === undefined ? undefined : decodeState(encodeState(state)), record, program)
    if (decision.state !== undefined) states.set(runId, decision.state)
    outputs.push(...decision.outputs)
  }
  return outputs
}
const planOf = (state: RunState): string => (state.status === 'ended' ? state.planHash : state.pinned.planHash)

type ClientOptions = { readonly random: Random; readonly broker: Broker; readonly promises: Promises; readonly nowMs: () => number }

/** Those who ask for runs, ask twice, change their mind, and the topic that delivers things twice. */
const createClients = ({ random, broker, promises, nowMs }: ClientOptions) => {
  const requests: Extract<LogMessage, { name: 'run.requested' }>[] = []
  const someRun = (): string | undefined => (requests.length === 0 ? undefined : random.pick(requests).data.runId)

  const request = (): void => {
    const requestId = `order-${requests.length}`
    const runId = runIdOf({ tenant: 'default', source: 'sim', requestId })
    const { plan } = random.pick([...PROGRAMS.values()])
    const params = Object.fromEntries(Object.entries(plan.params).map(([name, param]) => [name, param.default]))
    const message = {
      name: 'run.requested',
      data: {
        runId,
        requestId,
        tenant: 'default',
        source: 'sim',
        flow: plan.flow,
        version: plan.version,
        planHash: plan.hash,
        engineVersion: 1,
        params,
        input: { text: requestId },
        priority: 'normal',
        labels: {},
        requestedAtMs: nowMs() - SKEW_MS + random.below(2 * SKEW_MS),
        repeat: random.chance(0.1),
        ...(random.chance(0.2) ? { deadlineMs: 1 + random.below(60_000) } : {}),
      },
    } as const satisfies LogMessage
    requests.push(message)
    promises.requested(runId, plan.hash)
    broker.append(message)
  }
  return {
    count: () => requests.length,
    request,
    /** The producer tries again what was appended, or the client asks again and the intake knows it. */
    again: (): void => {
      if (requests.length === 0) return
      const message = random.pick(requests)
      broker.append(random.chance(0.5) ? message : { name: message.name, data: { ...message.data, repeat: true, requestedAtMs: nowMs() } })
    },
    cancel: (): void => {
      const runId = someRun()
      if (runId !== undefined) broker.append({ name: 'run.cancel', data: { runId, by: 'ada', reason: 'not needed' } })
    },
    quarantine: (): void => {
      const runId = someRun()
      if (runId !== undefined) broker.append({ name: 'run.quarantine', data: { runId, offset: '1', crashes: 2 } })
    },
    /** Any record of the log may come again, at any time. */
    sayAgain: (partition: number): void => {
      const next = broker.next(partition)
      const [record] = next === 0 ? [] : broker.read(partition, random.below(next), 1)
      if (record !== undefined) broker.append(record.message, partition)
    },
    nonsense: (): void => {
      const runId = `run_${random.below(1_000)}`
      broker.append({ name: 'step.completed', data: { runId, attemptId: `${runId}/a/1`, output: null } })
    },
  }
}
