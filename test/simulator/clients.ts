// Those who ask for runs, ask twice and change their mind, and the topic that delivers things twice.
import { runIdOf } from '@baton/contracts/ids'
import type { LogMessage } from '@baton/engine'
import type { Broker } from './broker.ts'
import { EVENTS } from './flow-words.ts'
import type { FlowSet } from './flow-set.ts'
import type { Promises } from './promises.ts'
import type { Random } from './random.ts'
import type { Tree } from './tree.ts'

/** How far the clock of an intake is off. */
const SKEW_MS = 4_000

export type Clients = {
  readonly count: () => number
  readonly request: () => void
  /** The producer appends again what it appended, or the client asks again and the intake knows it. */
  readonly again: () => void
  readonly cancel: () => void
  readonly pause: () => void
  /** Whoever paused longest ago goes on. */
  readonly resume: () => void
  /** Pauses that were asked for and not taken back. */
  readonly paused: () => number
  readonly patch: () => void
  readonly retry: () => void
  readonly event: () => void
  readonly quarantine: () => void
  /** Any record of the log may come again, at any time. */
  readonly sayAgain: (partition: number) => void
  /** An answer for a run that never was. */
  readonly nonsense: () => void
}

type Options = {
  readonly random: Random
  readonly broker: Broker
  readonly promises: Promises
  readonly tree: Tree
  readonly flows: FlowSet
  readonly nowMs: () => number
}
type Requested = Extract<LogMessage, { name: 'run.requested' }>

export const createClients = ({ random, broker, promises, tree, flows, nowMs }: Options): Clients => {
  const requests: Requested[] = []
  const paused: string[] = []
  let again = 0
  const ofSomeRun = (message: (runId: string) => LogMessage): void => {
    if (requests.length > 0) broker.append(message(random.pick(requests).data.runId))
  }
  const requested = (requestId: string): Requested => {
    const { plan } = random.pick(flows.roots)
    return {
      name: 'run.requested',
      data: {
        runId: runIdOf({ tenant: 'default', source: 'sim', requestId }),
        requestId,
        tenant: 'default',
        source: 'sim',
        flow: plan.flow,
        version: plan.version,
        planHash: plan.hash,
        engineVersion: flows.engineVersion,
        params: Object.fromEntries(Object.entries(plan.params).map(([name, param]) => [name, param.default])),
        input: flows.inputOf(random, requestId),
        priority: 'normal',
        labels: {},
        requestedAtMs: nowMs() - SKEW_MS + random.below(2 * SKEW_MS),
        repeat: random.chance(0.1),
        ...(Object.keys(flows.pins).length === 0 ? {} : { flows: flows.pins }),
        ...(flows.engineVersion === 1 && random.chance(0.2) ? { deadlineMs: 1 + random.below(60_000) } : {}),
      },
    }
  }
  return {
    count: () => requests.length,
    request: () => {
      const message = requested(`order-${requests.length}`)
      requests.push(message)
      tree.root(message.data.runId, message.data.requestId)
      promises.requested(message.data)
      broker.append(message)
    },
    again: () => {
      if (requests.length === 0) return
      const message = random.pick(requests)
      broker.append(random.chance(0.5) ? message : { name: message.name, data: { ...message.data, repeat: true, requestedAtMs: nowMs() } })
    },
    cancel: () =>
      ofSomeRun((runId) => ({
        name: 'run.cancel',
        data: { runId, by: 'ada', reason: 'not needed', ...(random.chance(0.2) ? { undo: false } : {}) },
      })),
    pause: () => {
      if (requests.length === 0) return
      const { runId } = random.pick(requests).data
      paused.push(runId)
      broker.append({ name: 'run.pause', data: { runId, by: 'ada' } })
    },
    resume: () => {
      const runId = paused.shift()
      if (runId !== undefined) broker.append({ name: 'run.resume', data: { runId, by: 'ada' } })
    },
    paused: () => paused.length,
    patch: () => {
      // Mostly of runs that can be changed.
      const n = Math.round(random.next() * 100) / 100
      const patch = (runId: string): LogMessage => ({ name: 'run.patch', data: { runId, by: 'ada', input: { n, items: [0, 1] } } })
      if (paused.length === 0 || random.chance(0.1)) ofSomeRun(patch)
      else broker.append(patch(random.pick(paused)))
    },
    retry: () => {
      again += 1
      ofSomeRun((runId) => ({
        name: 'run.retry',
        data: {
          runId,
          by: 'ada',
          newRunId: `again_${again}`,
          requestId: `again-${again}`,
          requestedAtMs: nowMs(),
          ...(random.chance(0.3) ? { from: 's1' } : {}),
        },
      }))
    },
    event: () =>
      ofSomeRun((runId) => {
        const event = random.pick(EVENTS)
        const k = random.below(3)
        return { name: 'run.event', data: { runId, eventId: `${event} ${k} ${random.below(3)}`, event, data: { k } } }
      }),
    quarantine: () => ofSomeRun((runId) => ({ name: 'run.quarantine', data: { runId, offset: '1', crashes: 2 } })),
    sayAgain: (partition) => {
      const next = broker.next(partition)
      const [record] = next === 0 ? [] : broker.read(partition, random.below(next), 1)
      if (record !== undefined) broker.append(record.message, partition)
    },
    nonsense: () => {
      const runId = `run_${random.below(1_000)}`
      broker.append({ name: 'step.completed', data: { runId, attemptId: `${runId}/a/1`, output: null } })
    },
  }
}
