// The run loop as a whole on a fake clock: clients, log, owners, store, workers and people, in an order chosen by the seed.
//   M1. Every choice comes from the seed: the same seed and number of steps give the same history.
//   M2. After the steps nothing fails any more, and every run that was requested comes to its one result.
import { decide, decodeState, encodeState, planHashOf, type RunState } from '@baton/engine'
import { createBroker, PARTITIONS, type Broker } from './broker.ts'
import { createClients } from './clients.ts'
import { compare, type Moment } from './comparison.ts'
import { FIXED, flowSet, type FlowSet } from './flow-set.ts'
import { Owner } from './owner.ts'
import { Promises, type Tally } from './promises.ts'
import { randomOf, type Random } from './random.ts'
import { broken } from './run-ledger.ts'
import { createStore } from './store.ts'
import { createTree } from './tree.ts'
import { createWorkers, type Workers } from './workers.ts'

export type SimulationOptions = {
  readonly seed: number
  readonly steps: number
  readonly trace?: (line: string) => void
  /** A mistake to be found: owners store before their outputs are acknowledged. */
  readonly hasty?: boolean
  /** Flows to play with, instead of those of the seed. */
  readonly flows?: FlowSet
  /** Faults that do not happen, by name. */
  readonly without?: readonly string[]
}
export type Summary = {
  readonly runs: number
  readonly records: number
  readonly published: number
  readonly repeated: number
  readonly takeovers: number
  readonly simulatedMs: number
  readonly tally: Tally
}

const START_MS = 1_700_000_000_000
/** Steps in which the rest must come to its end once nothing fails any more. */
const DRAIN_STEPS = 100_000

/** Plays one history. Throws `BrokenPromise` when one is broken. */
export const simulate = async (options: SimulationOptions): Promise<Summary> => {
  const world = createWorld(options)
  for (let step = 0; step < options.steps; step += 1) world.step(false)
  world.calm()
  for (let left = DRAIN_STEPS; world.unfinished(); left -= 1) {
    if (left === 0) broken('R4', `${world.promises.open} runs have no result`)
    world.step(true) // M2
  }
  const moments = world.replay()
  world.promises.replayed(moments.flatMap(({ outputs }) => outputs))
  await world.compare(moments)
  const { published, repeated, tally, records } = world.promises
  return { runs: world.runs(), records, published, repeated, takeovers: world.takeovers(), simulatedMs: world.nowMs() - START_MS, tally }
}

type Actor = { readonly name: string; readonly weight: number; readonly act: () => void }

/** What happens beside the work itself, by name; all but the first can be left out. */
export const FAULTS = [
  'request again',
  'cancel',
  'quarantine',
  'say again',
  'answer for nobody',
  'event',
  'pause',
  'resume',
  'patch',
  'retry',
  'crash',
  'lose the lease',
]

/** Every eighth history is one of the first engine. */
export const flowsOf = (seed: number): FlowSet => (seed % 8 === 0 ? FIXED : flowSet(seed))

const createWorld = ({ seed, trace = () => undefined, hasty = false, flows = flowsOf(seed), without = [] }: SimulationOptions) => {
  const random = randomOf(seed) // M1
  let nowMs = START_MS
  const clock = () => nowMs
  const promises = new Promises(flows)
  const tree = createTree(seed)
  const workers: Workers = createWorkers({
    random,
    nowMs: clock,
    append: (message, partition) => broker.append(message, partition),
    question: tree.question,
  })
  const broker: Broker = createBroker({ nowMs: clock, promises, workers, tree })
  const world = {
    broker,
    store: createStore(),
    programs: flows.program,
    promises,
    nowMs: clock,
    batch: () => 1 + random.below(5),
    isLost: () => random.chance(0.2),
    hasty,
  }
  const owners = Array.from({ length: PARTITIONS }, (_, partition) => new Owner(partition, world))
  /** Old owners that have not noticed yet. */
  let ghosts: Owner[] = []
  let takeovers = 0
  const clients = createClients({ random, broker, promises, tree, flows, nowMs: clock })

  const replace = (linger: boolean): void => {
    const owner = random.pick(owners)
    if (linger) ghosts.push(owner)
    takeovers += 1
    owners[owner.partition] = new Owner(owner.partition, world)
  }
  // Each history has its own climate: some never crash, some do little else.
  const climate = (): number => random.pick([0, 0.5, 1, 1, 3])
  const outside = (): readonly Actor[] => [
    { name: 'event', weight: 0.4, act: clients.event },
    { name: 'pause', weight: 0.06 * climate(), act: clients.pause },
    { name: 'resume', weight: 0.2, act: clients.resume },
    { name: 'patch', weight: 0.05 * climate(), act: clients.patch },
    { name: 'retry', weight: 0.1 * climate(), act: clients.retry },
  ]
  const everyFault: readonly Actor[] = [
    { name: 'request', weight: 0.4, act: clients.request },
    { name: 'request again', weight: 0.2 * climate(), act: clients.again },
    { name: 'cancel', weight: 0.05 * climate(), act: clients.cancel },
    { name: 'quarantine', weight: 0.02 * climate(), act: clients.quarantine },
    { name: 'say again', weight: 0.3 * climate(), act: () => clients.sayAgain(random.below(PARTITIONS)) },
    { name: 'answer for nobody', weight: 0.05 * climate(), act: clients.nonsense },
    ...(flows.engineVersion === 1 ? [] : outside()),
    { name: 'crash', weight: 0.25 * climate(), act: () => replace(false) },
    { name: 'lose the lease', weight: 0.15 * climate(), act: () => replace(true) },
  ]
  const faults = everyFault.filter(({ name }) => !without.includes(name))
  const work = (): readonly Actor[] => [
    ...owners.flatMap((owner, index) => actorsOf(owner, `owner ${index}`)),
    ...(workers.ready() > 0 ? [{ name: 'worker', weight: 2, act: () => workers.handle(false) }] : []),
  ]
  const calmWork = (): readonly Actor[] =>
    work().map((actor) => (actor.name === 'worker' ? { ...actor, act: () => workers.handle(true) } : actor))

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
    unfinished: () => promises.open > 0 || owners.some((owner) => owner.effects().length > 0),
    calm: (): void => {
      while (clients.paused() > 0) clients.resume()
    },
    step: (calm: boolean): void => {
      nowMs += random.below(40)
      ghosts = ghosts.filter((ghost) => ghost.alive && !random.chance(0.01))
      const possible = calm ? calmWork() : work()
      const others = [...ghosts.flatMap((ghost) => actorsOf(ghost, 'ghost')), ...(calm ? [] : faults)]
      if (possible.length === 0 && (calm || random.chance(0.7))) passTime()
      else choose(random, [...possible, ...others], trace)
    },
    /** REF: every run comes to what the reference says. */
    compare: async (moments: readonly Moment[]): Promise<void> => {
      for (const [runId, own] of byRun(moments)) {
        const first = own.find(({ record }) => record.message.name === 'run.requested')?.record.message
        if (first?.name !== 'run.requested' || !flows.isTold(first.data.planHash)) continue
        const program = flows.program(first.data.planHash)
        if (program === undefined) continue
        const told = own.filter(
          ({ outputs, record }) => outputs.length > 0 || record.message.name === 'timer.matured' || record.message.name === 'run.event',
        )
        const said = await compare({ seed, place: tree.placeOf(runId), program, moments: told, asked: tree.asked(runId) })
        promises.compared(said)
      }
    },
    replay: () => Array.from({ length: PARTITIONS }, (_, partition) => replay(broker, partition, flows)).flat(),
  }
}

const byRun = (moments: readonly Moment[]): ReadonlyMap<string, readonly Moment[]> => {
  const runs = new Map<string, Moment[]>()
  for (const moment of moments) {
    const { runId } = moment.record.message.data
    const own = runs.get(runId)
    if (own === undefined) runs.set(runId, [moment])
    else own.push(moment)
  }
  return runs
}

const actorsOf = (owner: Owner, name: string): readonly Actor[] =>
  owner.effects().map((effect) => ({ name: `${name} ${effect.name}`, weight: 3, act: effect.run }))

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

/** How many records apart a state goes through its stored form. */
const STORED_EVERY = 3

/** R9: the log of a partition decided in one go by an owner that never dies; R1: and alike when its states went through their stored form. */
const replay = (broker: Broker, partition: number, flows: FlowSet): readonly Moment[] => {
  const states = new Map<string, RunState>()
  const others = new Map<string, RunState>()
  const moments: Moment[] = []
  for (const record of broker.read(partition, 0, broker.next(partition))) {
    const { name, data } = record.message
    const state = states.get(data.runId)
    const program = flows.program(state === undefined ? (name === 'run.requested' ? data.planHash : '') : planHashOf(state))
    if (program === undefined) continue
    const decision = decide(state, record, program)
    const other = others.get(data.runId)
    const kept = other === undefined || record.offset % STORED_EVERY > 0 ? other : decodeState(encodeState(other))
    const again = decide(kept, record, program)
    const [text, from] = [JSON.stringify(decision.outputs), JSON.stringify(again.outputs)]
    if (text !== from) broken('R1', `${data.runId} decides ${text} from memory, and ${from} from its checkpoint`)
    if (again.state !== undefined) others.set(data.runId, again.state)
    if (decision.state !== undefined) states.set(data.runId, decision.state)
    moments.push({ record, outputs: decision.outputs })
  }
  for (const [runId, state] of states) {
    const other = others.get(runId)
    if (other === undefined || encodeState(state) !== encodeState(other))
      broken('S2', `the state of ${runId} is another when it was stored`)
  }
  return moments
}
