// An agent at work (A7): turn after turn, each with the calls it asked for, until it answers.
//   A1. Every turn and every call is a step of its own: leased, counted, journaled, asked for again when it is lost.
//   A2. The state names the newest piece of the conversation and the results of one turn, and never grows with the number of turns (R10).
//   A3. It ends: by its answer, at a cap, when it makes the same call again and again, or when its turns come to the same.
//   A4. What it may call and to whom it may hand over is what the flow says; anything else is told to it as a fault of the call.
//   A5. Who stands in for an agent does its task, in a team too.
import { Fault, type FaultData } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json } from '@baton/contracts/json'
import { sha256 } from '@baton/contracts/ids'
import type { MessageOf } from '@baton/contracts'
import type { AgentSpec, PlanNode } from '@baton/flow/plan'
import type { AgentWork, CallResult, Entry, Frame } from '../state.ts'
import { doubt, REPEATS_MAX, SAME_MAX } from './agent.policy.ts'
import { capsOf } from './caps.ts'
import { leftOutOfBoth } from './entry.ts'
import { failStep } from './failure.ts'
import { partKey } from './frame-keys.ts'
import { closeFrame, inherited, keepUsed, openFrame, placeOf, usedEarlier } from './frames.ts'
import { agentOf } from './own-work.ts'
import { scopeOf } from './scope.ts'
import { inputOf } from './seen.ts'
import { finishComposed, guarded } from './settle.ts'
import { journal, journalDecided, stepTransition, type Place, type Turn } from './turn.ts'

/** Turns of an agent whose caps name none. */
const TURNS_MAX = 20
/** Calls of one turn; what it asks for beyond is told to it as a fault. */
const CALLS_PER_TURN_MAX = 16
/** Calls that are known again when they are repeated. */
const CALLS_KNOWN_MAX = 256
const HANDOVERS_MAX = 5
const HANDOFF = 'handoff/'

type AgentNode = PlanNode & { readonly kind: 'agent' }

/** Gives the task to an agent. Throws `agent.unknown` when none is for it. */
export const beginAgent = (turn: Turn, place: Place, node: AgentNode): void => {
  const { visit } = place.frame
  if (visit === null) return
  const task = taskOf(turn, place, node)
  const agent = agentFor(turn, place, node)
  const work: AgentWork = { is: 'agent', agent, task, startedAtMs: turn.atMs, turn: 0, calls: [], made: {}, handed: [] }
  keepUsed(place.frame, place.node.id)
  visit.activity = work
  visit.sinceMs ??= turn.atMs
  journal(turn, { name: 'journal.step.opened', data: { ...stepTransition(turn, place), detail: { agent } } })
  nextTurn(turn, place, work)
}

/** What it has to do: what its step says. One that stands in for another, and of which nothing is said, has to do what that one had to. A5. */
const taskOf = (turn: Turn, place: Place, node: AgentNode): Json => {
  const { frame } = place
  const instead = frame.use === 'failover' && frame.owner !== null && 'cel' in node.with && node.with.cel === 'input'
  const other = instead ? placeOf(turn, frame.owner.frame) : undefined
  if (other?.node.kind === 'agent') return taskOf(turn, other, other.node)
  return inputOf(turn, place)
}

const agentFor = ({ program, ...turn }: Turn, { frame }: Place, { agent, by, id }: AgentNode): string => {
  if (agent !== undefined) return agentOf(program.plan, agent).name
  const value = by === undefined ? null : program.value({ cel: by }, scopeOf({ program, ...turn }, program.plan, frame))
  const found = Object.values(program.plan.agents ?? {}).find((one) => one.for.some((kind) => kind === value))
  if (found === undefined) throw new Fault('agent.unknown', `${id}: no agent is for ${JSON.stringify(value)}`.slice(0, 500), { node: id })
  return found.name
}

const specOf = ({ program }: Turn, { agent }: AgentWork): AgentSpec => agentOf(program.plan, agent)

/** Asks for the next turn, or gives up at the cap of turns. A3. */
const nextTurn = (turn: Turn, place: Place, work: AgentWork): void => {
  const turns = capsOf(turn, place.node)?.turns ?? specOf(turn, work).limits.turns ?? TURNS_MAX
  if (work.turn >= turns) {
    failStep(turn, place.key, {
      code: 'limit.turns_exceeded',
      message: `${work.agent} has no answer after ${turns} turns`,
      detail: { agent: work.agent, turns },
    })
    return
  }
  work.turn += 1
  const last = work.turn === turns && turns > 1
  openTurn(turn, place, work, {
    use: 'turn',
    tools: last ? [] : toolsOf(turn, work),
    note: last ? 'This is your last turn: answer now.' : work.note,
  })
}

const toolsOf = (turn: Turn, work: AgentWork): string[] => {
  const { tools, handoff } = specOf(turn, work)
  return [...tools, ...(work.handed.length < HANDOVERS_MAX ? handoff.map((agent) => HANDOFF + agent) : [])]
}

type Ask = { readonly use: 'turn' | 'check'; readonly tools: string[]; readonly note: string | undefined; readonly answer?: Json }

const openTurn = (turn: Turn, place: Place, work: AgentWork, { use, tools, note, answer }: Ask): void => {
  const results = work.calls.map(({ id, tool, result = {} }) => ({
    id,
    tool,
    ...(result.output === undefined ? {} : { output: result.output }),
    ...(result.ref === undefined ? {} : { outputRef: result.ref }),
    ...(result.fault === undefined ? {} : { fault: result.fault }),
  }))
  const data: MessageOf<'model.invoke'>['turn'] = {
    agent: work.agent,
    turn: work.turn,
    use,
    results: use === 'turn' ? results : [],
    tools,
    ...(work.transcript === undefined ? {} : { transcript: work.transcript }),
    ...(note === undefined ? {} : { note }),
    ...(answer === undefined ? {} : { answer }),
  }
  work.calls = []
  delete work.note
  openMember(turn, place, {
    key: partKey(place.path, 'turn'),
    path: `${place.path}/${use === 'turn' ? 'turn' : 'check'}[${work.turn}]`,
    use: 'turn',
    work: { is: 'turn', turn: data, input: work.task },
  })
}

type Member = Required<Pick<Frame, 'use' | 'work'>> & { readonly key: string; readonly path: string; readonly part?: number }

/** Opens a frame of one piece of work below a step. */
export const openMember = (turn: Turn, { key: frame, node, frame: own }: Place, { key, path, use, work, part }: Member): void =>
  openFrame(turn.run, key, {
    block: -1,
    owner: { frame, nodeId: own.work === undefined ? node.id : (own.owner?.nodeId ?? node.id), path },
    use,
    work,
    ...(part === undefined ? {} : { part }),
    usedBefore: usedEarlier(turn.run, own, node.id),
    ...inherited(own),
  })

/** What a turn said beside its answer is kept with the agent that waits for it. */
export const noteTurn = (turn: Turn, { frame }: Place, said: NonNullable<MessageOf<'step.completed'>['turn']>): void => {
  const owner = frame.owner === null ? undefined : placeOf(turn, frame.owner.frame)
  const work = owner?.frame.visit?.activity
  if (work?.is !== 'agent' || frame.work?.is !== 'turn') return
  if (frame.work.turn.use === 'check') {
    if (said.confidence !== undefined) work.confidence = said.confidence
    return
  }
  work.calls = said.calls.map(({ id, tool, arguments: input }) => ({ id, tool, input }))
  if (said.transcript !== undefined) work.transcript = said.transcript
  work.confidence = said.confidence ?? null
}

/** A turn or a call has ended. */
export const agentFrameEnded = (turn: Turn, place: Place, { key, frame }: { key: string; frame: Frame }, came: Entry | FaultData): void => {
  closeFrame(turn.run, key)
  const work = place.frame.visit?.activity
  if (work?.is !== 'agent') return
  guarded(turn, place.key, () => {
    if ('by' in came && came.leftOut !== undefined) work.leftOut = leftOutOfBoth(work.leftOut ?? [], came.leftOut)
    if (frame.use === 'call') endCall(turn, place, work, { number: frame.part ?? 0, came })
    else if (!('by' in came)) failStep(turn, place.key, came)
    else if (work.calls.length > 0) makeCalls(turn, place, work)
    else if (frame.work?.is === 'turn' && frame.work.turn.use === 'check') answer(turn, place, work, came)
    else check(turn, place, work, came)
  })
}

/** Its answer is looked at by itself first, where the flow wants that. */
const check = (turn: Turn, place: Place, work: AgentWork, came: Entry): void => {
  if (specOf(turn, work).selfCheck === undefined) answer(turn, place, work, came)
  else openTurn(turn, place, work, { use: 'check', tools: [], note: undefined, answer: came.output })
}

const answer = (turn: Turn, place: Place, work: AgentWork, came: Entry): void => {
  const { leftOut } = work
  const entry = { ...came, by: `agent:${work.agent}`, ...(leftOut === undefined ? {} : { leftOut }) }
  const unsure = doubt(specOf(turn, work), confidenceOf(entry.output) ?? work.confidence ?? null)
  if (unsure === undefined) finishComposed(turn, place, entry)
  else {
    work.answer = entry
    failStep(turn, place.key, unsure)
  }
}

const confidenceOf = (output: Json): number | undefined => {
  const confidence = isJsonObject(output) ? output['confidence'] : undefined
  return typeof confidence === 'number' ? confidence : undefined
}

/** Does what a turn asked for; a hand-over goes before all else. A3, A4. */
const makeCalls = (turn: Turn, place: Place, work: AgentWork): void => {
  const handover = work.calls.find(({ tool }) => tool.startsWith(HANDOFF))
  if (handover !== undefined && toolsOf(turn, work).includes(handover.tool)) {
    handOver(turn, place, work, { to: handover.tool.slice(HANDOFF.length), input: handover.input })
    return
  }
  const allowed = new Set(specOf(turn, work).tools)
  for (const [number, call] of work.calls.entries()) {
    const hash = sha256(canonicalJson([call.tool, call.input])).slice(0, 16)
    const times = (work.made[hash] ?? 0) + 1
    work.made[hash] = times
    forgetOldest(work.made)
    if (times > REPEATS_MAX) {
      giveUpRepeating(turn, place, work, call.tool)
      return
    }
    if (!allowed.has(call.tool)) call.result = refused('tool.unknown', `${work.agent} has no tool ${call.tool}`)
    else if (number >= CALLS_PER_TURN_MAX) call.result = refused('limit.calls_exceeded', `at most ${CALLS_PER_TURN_MAX} calls a turn`)
  }
  for (const [number, { id, tool, input, result }] of work.calls.entries()) {
    if (result !== undefined) continue
    openMember(turn, place, {
      key: partKey(place.path, `call ${number}`),
      path: `${place.path}/turn[${work.turn}]/call[${number}]`,
      use: 'call',
      part: number,
      work: { is: 'call', call: { id, tool, agent: work.agent }, input },
    })
  }
  if (work.calls.every(({ result }) => result !== undefined)) endTurn(turn, place, work)
}

/** Keeps the newest, so that the state does not grow with the turns (A2). */
const forgetOldest = (made: AgentWork['made']): void => {
  const hashes = Object.keys(made)
  const [oldest] = hashes
  if (oldest !== undefined && hashes.length > CALLS_KNOWN_MAX) delete made[oldest]
}

const refused = (code: FaultData['code'], message: string): CallResult => ({ fault: { code, message } })

const giveUpRepeating = (turn: Turn, place: Place, work: AgentWork, tool: string): void =>
  failStep(turn, place.key, {
    code: 'agent.repeating',
    message: `${work.agent} made the same call of ${tool} more than ${REPEATS_MAX} times`,
    detail: { agent: work.agent, tool },
  })

const handOver = (turn: Turn, place: Place, work: AgentWork, { to, input }: { to: string; input: Json }): void => {
  const asked = isJsonObject(input) && typeof input['task'] === 'string' ? `: ${input['task']}` : ''
  journalDecided(turn, place, 'agent', `handed over to ${to}`)
  work.handed.push(work.agent)
  work.note = `${work.agent} handed this over to you${asked}`.slice(0, 4_000)
  work.agent = to
  work.calls = []
  delete work.transcript
  delete work.same
  nextTurn(turn, place, work)
}

const endCall = (turn: Turn, place: Place, work: AgentWork, { number, came }: { number: number; came: Entry | FaultData }): void => {
  const call = work.calls[number]
  if (call === undefined) return
  call.result = 'by' in came ? { output: came.output, ...(came.ref === undefined ? {} : { ref: came.ref }) } : { fault: came }
  if (work.calls.every(({ result }) => result !== undefined)) endTurn(turn, place, work)
}

/**
 * What a call came to. Another question that has the same answer (nothing found, say) is another turn; the same mistake about other
 * arguments is the same mistake. Engines before the fourth looked at the answers alone.
 */
const cameTo = ({ tool, input, result = {} }: AgentWork['calls'][number], engineVersion: number): Json =>
  [tool, ...(engineVersion < 4 || result.fault !== undefined ? [] : [input]), ...Object.values(result)] as Json

/** All calls of a turn have a result. A3. */
const endTurn = (turn: Turn, place: Place, work: AgentWork): void => {
  const hash = sha256(canonicalJson(work.calls.map((call) => cameTo(call, turn.run.engineVersion)))).slice(0, 16)
  const times = work.same?.[0] === hash ? work.same[1] + 1 : 1
  work.same = [hash, times]
  if (times < SAME_MAX) nextTurn(turn, place, work)
  else {
    failStep(turn, place.key, {
      code: 'agent.stuck',
      message: `${times} turns of ${work.agent} in a row came to the same`,
      detail: { agent: work.agent },
    })
  }
}
