// The work of steps as a test scripts it: the tries, waits and failovers of the services that do it, on the clock of the test.
//   W2. Nobody answers late: what takes longer than its time is a timeout at that time.
import { Fault } from '@baton/contracts/fault'
import type { StepCommand } from '@baton/contracts'
import { lookedAt, type Done } from '@baton/engine/memory'
import type { PlanNode } from '@baton/flow/plan'
import { firstMove, nextMove, type Candidate, type Move } from '@baton/policy'
import type { Act } from '../script/answer.ts'
import { askedOf, stepNamesOf } from '../script/names.ts'
import { BrokenTest } from '../script/scripts.ts'
import { ask, fits, type Job, type WorkPorts } from './asking.ts'
import { askPerson } from './person.ts'

const TRY_MS = { model: 60_000, tool: 30_000, retrieve: 10_000, check: 30_000 } as const
const WAIT_MAX_MS = 30_000
const ONE_TRY = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false } as const

/** Does the work of steps by scripts. */
export const scriptedWork =
  (ports: WorkPorts) =>
  async (command: StepCommand, node: PlanNode, signal: AbortSignal): Promise<Done> => {
    const names = ports.standIns.get(command.planHash) ?? stepNamesOf(command, node)
    const job = { ...ports, command, node, signal, plan: ports.planOf(command.planHash), names }
    if (command.guard !== undefined) return guarded(job)
    return command.kind === 'human' ? askPerson(job) : tryAll(job)
  }

/** A guard lets everything pass of which no script says otherwise. */
const guarded = (job: Job): Promise<Done> =>
  lookedAt(job.command, job.node, async (guard) => {
    if (!job.scripts.has([guard])) return undefined
    const { does } = await ask({ ...job, names: [guard] }, guard, 1)
    if (does.is === 'fails') throw new Fault(does.code, does.message ?? `guard ${guard} failed, as the test says`)
    return does.is === 'gives' ? does.output : undefined
  })

/** Tries, waits and failover by the plan that workers follow too. */
const tryAll = async (job: Job): Promise<Done> => {
  const { node, signal, clock } = job
  const candidates = candidatesOf(job)
  const spec = { ...(node.retry ?? ONE_TRY), timeoutMs: tryMsOf(job), waitMaxMs: WAIT_MAX_MS }
  const faults: Fault[] = []
  let costMicroUsd = 0
  let move: Move = firstMove()
  while (move.do === 'ask') {
    if (move.waitMs > 0) await clock.sleep(move.waitMs, signal)
    const name = candidates[move.candidate]?.name ?? ''
    const act = await ask(job, name, faults.length + 1, move.reask ? faults.at(-1)?.message : undefined)
    costMicroUsd += act.costMicroUsd
    const came = await carryOut(job, name, act, spec.timeoutMs)
    if (!(came instanceof Fault)) return { ...came, costMicroUsd }
    if (signal.aborted) throw came
    faults.push(came)
    move = nextMove(move.progress, { code: came.code }, { spec, candidates, random: 0.5 })
  }
  throw faults[move.failure] ?? new Fault('model.unavailable', 'nobody answered')
}

/** Who may be asked. One that has no script beside others that do is not there, as a model that is not configured. */
const candidatesOf = ({ command, node, plan, names, scripts }: Job): readonly Candidate[] => {
  const all = askedOf(command, node, plan)
  const scripted = scripts.has(names) ? all : all.filter((name) => scripts.has([name]))
  return (scripted.length === 0 ? all : scripted).map((name) => ({ name, reaskable: command.kind === 'model', weight: 1 }))
}

/** A task of another team's service has as long as its attempt; nobody but the engine counts its time. */
const tryMsOf = ({ command, node }: Job): number =>
  command.kind === 'task' || command.kind === 'human' ? Infinity : (node.timeoutMs ?? TRY_MS[command.kind])

/** What an act comes to within the time of one try. W2. */
const carryOut = async (job: Job, name: string, act: Act, timeoutMs: number): Promise<Done | Fault> => {
  const { command, clock, signal } = job
  const { takesMs, does, tokens, leftOut } = act
  if (takesMs > 0) await clock.sleep(Math.min(takesMs, timeoutMs), signal)
  const late = command.kind === 'model' ? 'model.timed_out' : 'tool.timed_out'
  if (takesMs > timeoutMs) return new Fault(late, `${name} took longer than ${timeoutMs} ms`)
  if (does.is === 'fails') return new Fault(does.code, does.message ?? `${name} failed, as the test says`)
  const by = act.by ?? `${command.kind === 'retrieve' ? 'index' : command.kind}:${name}`
  return {
    by,
    ...outputOf(job, does),
    ...(tokens === undefined ? {} : { inputTokens: 0, outputTokens: tokens }),
    ...(leftOut === undefined ? {} : { leftOut }),
  }
}

const outputOf = (job: Job, does: Exclude<Act['does'], { is: 'fails' }>): Pick<Done, 'output' | 'turn'> => {
  const { path, turn } = job.command
  switch (does.is) {
    case 'calls':
      if (turn === undefined) throw new BrokenTest(`The test has calls for ${path}, which is no turn of an agent.`)
      return { output: null, turn: { calls: does.calls.map((call) => ({ ...call })) } }
    case 'gives': {
      fits(job, does.output)
      const sure = does.confidence === undefined ? {} : { confidence: does.confidence }
      return { output: does.output, ...(turn === undefined ? {} : { turn: { calls: [], ...sure } }) }
    }
    case 'decides':
      throw new BrokenTest(`The test has a decision for ${path}, which asks no person.`)
  }
}
