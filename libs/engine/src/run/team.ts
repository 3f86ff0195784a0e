// A planner, workers and a synthesis (A6). The planner is asked again, with what was found, until it has no more subtasks or no more rounds.
//   T1. Subtasks, rounds, and what all of it may cost are capped; a cap is a limit of the step (R5).
//   T2. A subtask that fails is told to the synthesis; the step fails when all have.
import type { FaultData } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { PlanNode } from '@baton/flow/plan'
import type { Entry, Frame, TeamWork } from '../state.ts'
import { openMember } from './agent.ts'
import { failStep } from './failure.ts'
import { partKey } from './frame-keys.ts'
import { closeFrame, keepUsed } from './frames.ts'
import { inputOf } from './seen.ts'
import { finishComposed, guarded } from './settle.ts'
import { subtasksIn, workerFor } from './team.policy.ts'
import { journal, stepTransition, type Place, type Turn } from './turn.ts'

type TeamNode = PlanNode & { readonly kind: 'team' }

export const beginTeam = (turn: Turn, place: Place, _node: TeamNode): void => {
  const { visit } = place.frame
  if (visit === null) return
  const work: TeamWork = { is: 'team', stage: 'plan', round: 0, tasks: [], startedAtMs: turn.atMs }
  keepUsed(place.frame, place.node.id)
  visit.activity = work
  visit.sinceMs ??= turn.atMs
  journal(turn, { name: 'journal.step.opened', data: stepTransition(turn, place) })
  askPlanner(turn, place, work)
}

const teamOf = ({ node }: Place): TeamNode | undefined => (node.kind === 'team' ? node : undefined)

/** What every member is told: the values of the step. */
const given = (turn: Turn, place: Place): JsonObject => {
  const value = inputOf(turn, place)
  return isJsonObject(value) ? value : { it: value }
}

const askPlanner = (turn: Turn, place: Place, work: TeamWork): void => {
  const node = teamOf(place)
  if (node === undefined) return
  work.stage = 'plan'
  work.round += 1
  const so = work.round === 1 ? {} : { round: work.round, findings: findingsOf(work) }
  member(turn, place, { name: 'plan', path: `plan[${work.round}]`, agent: node.planner, input: { ...given(turn, place), ...so } })
}

type Asked = { readonly name: string; readonly path: string; readonly agent: string; readonly input: Json; readonly part?: number }

const member = (turn: Turn, place: Place, { name, path, agent, input, part }: Asked): void =>
  openMember(turn, place, {
    key: partKey(place.path, name),
    path: `${place.path}/${path}`,
    use: 'member',
    work: { is: 'agent', agent, input },
    ...(part === undefined ? {} : { part }),
  })

/** What the subtasks came to, for the planner and the synthesis. */
const findingsOf = ({ tasks }: TeamWork): Json =>
  tasks.map(({ agent, task, output, fault }): Json => ({
    agent,
    task,
    ...(output === undefined ? {} : { found: output.output }),
    ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
  }))

/** A member has ended. */
export const teamMemberEnded = (turn: Turn, place: Place, { key, frame }: { key: string; frame: Frame }, came: Entry | FaultData): void => {
  closeFrame(turn.run, key)
  const work = place.frame.visit?.activity
  if (work?.is !== 'team') return
  guarded(turn, place.key, () => {
    if (frame.part !== undefined) endTask(turn, place, work, frame.part, came)
    else if (!('by' in came)) failStep(turn, place.key, came)
    else if (work.stage === 'plan') takePlan(turn, place, work, came)
    else finishComposed(turn, place, { ...came, by: `team:${came.by.replace(/^agent:/, '')}` })
  })
}

/** The planner has answered: subtasks for the workers, or nothing more to do. T1. */
const takePlan = (turn: Turn, place: Place, work: TeamWork, { output }: Entry): void => {
  const node = teamOf(place)
  if (node === undefined) return
  const found = subtasksIn(output)
  const max = node.limits.subtasks ?? SUBTASKS_MAX
  if (work.tasks.length + found.length > max) {
    failStep(turn, place.key, {
      code: 'limit.subtasks_exceeded',
      message: `${node.planner} wants ${work.tasks.length + found.length} subtasks of at most ${max}`,
      detail: { node: node.id, subtasks: max },
    })
    return
  }
  if (found.length === 0) {
    synthesise(turn, place, work)
    return
  }
  work.stage = 'work'
  const { agents = {} } = turn.program.plan
  for (const task of found) {
    const agent = workerFor(task, node.workers, agents)
    const none: FaultData = { code: 'agent.unknown', message: `no worker of ${node.id} is for this subtask`, detail: { node: node.id } }
    work.tasks.push(agent === undefined ? { agent: '', task, fault: none } : { agent, task })
  }
  fill(turn, place, work, node)
}
/** Subtasks where the team does not say. */
const SUBTASKS_MAX = 100

/** Opens subtasks while there is room. */
const fill = (turn: Turn, place: Place, work: TeamWork, node: TeamNode): void => {
  let room = node.concurrency - work.tasks.filter(({ open }) => open === true).length
  for (const [number, task] of work.tasks.entries()) {
    if (room <= 0) return
    if (task.open === true || task.output !== undefined || task.fault !== undefined) continue
    task.open = true
    room -= 1
    const input = { ...given(turn, place), task: task.task }
    member(turn, place, { name: `task ${number}`, path: `task[${number}]`, agent: task.agent, input, part: number })
  }
  if (work.tasks.every(({ open }) => open !== true)) endRound(turn, place, work, node)
}

const endTask = (turn: Turn, place: Place, work: TeamWork, number: number, came: Entry | FaultData): void => {
  const task = work.tasks[number]
  const node = teamOf(place)
  if (task === undefined || node === undefined) return
  delete task.open
  if ('by' in came) task.output = came
  else task.fault = came
  fill(turn, place, work, node)
}

/** T2. */
const endRound = (turn: Turn, place: Place, work: TeamWork, node: TeamNode): void => {
  const last = work.tasks.at(-1)?.fault
  if (last !== undefined && work.tasks.every(({ output }) => output === undefined)) failStep(turn, place.key, last)
  else if (work.round < (node.limits.rounds ?? 1)) askPlanner(turn, place, work)
  else synthesise(turn, place, work)
}

const synthesise = (turn: Turn, place: Place, work: TeamWork): void => {
  const node = teamOf(place)
  if (node === undefined) return
  work.stage = 'synthesis'
  const input = { ...given(turn, place), findings: findingsOf(work) }
  member(turn, place, { name: 'synthesis', path: 'synthesis', agent: node.synthesis, input })
}
