// People as a test scripts them.
//   W2. Nobody answers late: a person who is silent until the time is over has not decided.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { StepCommand, Verdict } from '@baton/contracts'
import type { Done } from '@baton/engine/memory'
import { peopleMs, type PlanNode } from '@baton/flow/plan'
import type { Act } from '../script/answer.ts'
import { BrokenTest } from '../script/scripts.ts'
import { ask, fits, type Job, type PersonAsked } from './asking.ts'

type Human = Extract<PlanNode, { kind: 'human' }>

/** Asks a person by a script. Throws `review.expired` for silence, `review.closed` when the review is withdrawn. */
export const askPerson = async (job: Job): Promise<Done> => {
  const { command, node, clock, signal, onPerson } = job
  if (node.kind !== 'human') throw new BrokenTest(`${command.path} asks no person.`)
  const { queue, title } = node.human
  const askedAtMs = clock.nowMs()
  const act = await ask(job, queue, 1)
  const told = (became: PersonAsked['became']): void => {
    const { path, priority, input } = command
    const titled = title === undefined ? {} : { title }
    onPerson({ path, step: node.name ?? node.id, queue, priority, input, atMs: askedAtMs, became, untilMs: clock.nowMs(), ...titled })
  }
  const timeMs = peopleMs(node.human)
  await clock.sleep(Math.min(act.takesMs, timeMs), signal)
  if (signal.aborted) {
    told('withdrawn')
    throw new Fault('review.closed', 'nobody wants it any more')
  }
  if (act.takesMs >= timeMs) {
    told('expired')
    // What is advisory goes on as it was proposed.
    if (node.human.risk === 'advisory') return { output: approvedOf(command.input), by: 'nobody', verdict: 'approve' }
    throw new Fault('review.expired', 'nobody decided in time') // W2
  }
  return decided(job, node, act, told)
}

const BECAME = { approve: 'approved', edit: 'edited', reject: 'rejected', respond: 'answered' } as const

const decided = (job: Job, node: Human, { does, by = 'tester' }: Act, told: (became: PersonAsked['became']) => void): Done => {
  const { command } = job
  if (does.is === 'fails') throw new Fault(does.code, does.message ?? 'as the test says')
  if (does.is === 'calls') throw new BrokenTest(`The test has calls for ${command.path}, which asks a person.`)
  const verdict = does.is === 'decides' ? does.verdict : 'respond'
  const reason = does.is === 'decides' && does.reason !== undefined ? { reason: does.reason } : {}
  told(BECAME[verdict])
  if (verdict === 'reject') return { output: null, by, verdict, ...reason }
  const output = writtenOf(command, verdict, does.output)
  fits({ ...job, node }, output)
  return { output, by, verdict, ...reason }
}

/** What a person gives the step; hitl refuses the same decisions. */
const writtenOf = ({ path, input }: StepCommand, verdict: Verdict, output: Json | undefined): Json => {
  if (verdict === 'approve') return approvedOf(input)
  if (output === undefined) throw new BrokenTest(`The person of ${path} decides ${verdict}: write what with output.`)
  if (verdict === 'respond' || (isJsonObject(input) && 'draft' in input)) return output
  throw new BrokenTest(`The person of ${path} is shown no draft, so there is nothing to edit: write decides: respond.`)
}

/** Approving gives the draft, or what was shown. Who made it is the person now. */
const approvedOf = (input: Json): Json => {
  const draft = isJsonObject(input) ? (input['draft'] ?? input) : input
  if (!isJsonObject(draft)) return draft
  const { by: _by, ...rest } = draft
  return rest
}
