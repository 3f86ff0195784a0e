// One asking of a scripted step: what is said of it, and what has to fit.
//   W1. What is scripted for a step has to fit what the step returns; a test that says otherwise is broken.
import type { Json } from '@baton/contracts/json'
import type { StepCommand } from '@baton/contracts'
import type { FakeClock } from '@baton/engine/memory'
import { renderShown, wholeParts } from '@baton/flow'
import type { Plan, PlanNode } from '@baton/flow/plan'
import { problemOf } from '../fit.ts'
import type { Act } from '../script/answer.ts'
import { BrokenTest, type Asked, type Scripts } from '../script/scripts.ts'

/** What was asked of whom. */
export type AskedOf = Asked & { readonly atMs: number }
/** A question to a person, and what came of it. */
export type PersonAsked = {
  readonly path: string
  readonly step: string
  readonly queue: string
  readonly priority: string
  readonly title?: string
  readonly input: Json
  readonly atMs: number
  /** `withdrawn`: nobody wanted it any more. */
  readonly became: 'approved' | 'edited' | 'rejected' | 'answered' | 'expired' | 'withdrawn'
  readonly untilMs: number
}

export type WorkPorts = {
  readonly clock: FakeClock
  readonly scripts: Scripts
  readonly planOf: (planHash: string) => Plan
  /** Names of the flows that are scripted as a whole, by the hash of the plan that stands in for them. */
  readonly standIns: ReadonlyMap<string, readonly string[]>
  readonly onAsked: (asked: AskedOf) => void
  readonly onPerson: (person: PersonAsked) => void
}

export type Job = WorkPorts & {
  readonly command: StepCommand
  readonly node: PlanNode
  readonly plan: Plan
  readonly signal: AbortSignal
  readonly names: readonly string[]
}

/** Says what is asked, and gets what the script says. */
export const ask = async (job: Job, name: string, tries: number, feedback = job.command.override?.feedback): Promise<Act> => {
  const { command, node, names, scripts, clock } = job
  const { path, kind, flow, input, attempt, turn } = command
  const asking: Asked = {
    path,
    step: stepOf(job),
    name,
    kind,
    flow,
    input,
    attempt,
    tries,
    ...promptOf(job),
    ...(feedback === undefined ? {} : { feedback }),
    ...(turn === undefined ? {} : { turn: { number: turn.turn, agent: turn.agent, use: turn.use, results: plain(turn.results) } }),
  }
  job.onAsked({ ...asking, atMs: clock.nowMs() })
  return scripts.next([...names, name, ...(node.kind === 'check' ? node.checks.map(({ check }) => check) : [])], asking)
}

/** The name under which a test would script it. */
const stepOf = ({ command, node, names, standIns }: Job): string => {
  const { turn, call, path } = command
  if (standIns.has(command.planHash)) return names[0] ?? path
  if (call !== undefined) return call.tool
  if (turn !== undefined) return turn.use === 'check' ? `${turn.agent}/check` : turn.agent
  return node.name ?? (node.kind === 'human' ? node.human.queue : node.id)
}

const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json // JSON of JSON is JSON

/** The prompt as it is sent. */
const promptOf = ({ command, node, plan }: Job): { readonly prompt?: string; readonly system?: string } => {
  const { override, input, kind } = command
  const prompt = kind === 'model' ? plan.prompts[override?.prompt ?? promptNameOf(command, node, plan) ?? ''] : undefined
  return prompt === undefined ? {} : renderShown(prompt, input, wholeParts(plan, command))
}

const promptNameOf = ({ turn }: StepCommand, node: PlanNode, plan: Plan): string | undefined => {
  if (node.kind === 'model') return node.prompt
  const agent = turn === undefined ? undefined : plan.agents?.[turn.agent]
  return turn?.use === 'check' ? agent?.selfCheck : agent?.prompt
}

/** Refuses an output that the step could not have given. W1. */
export const fits = ({ command, node, plan }: Job, output: Json): void => {
  const { turn, call } = command
  if (call !== undefined) return
  const schema =
    turn === undefined ? node.returns : (plan.agents?.[turn.agent]?.returns ?? (node.kind === 'agent' ? node.returns : undefined))
  const problem = problemOf(output, schema)
  if (problem === undefined) return
  throw new BrokenTest(
    `What the test gives for ${command.path} does not fit what the step returns: ${problem}. It gives ${JSON.stringify(output)}. To test an answer that does not fit, write { fails: output.schema_invalid }.`,
  )
}
