// The steps of a run as a tree, with its critical path.
//   T1. A place in the run is one node: the newest attempt speaks for it, earlier ones are listed in it.
//   T2. The path of a place says where it hangs; a parent that is no step itself appears as a group around its children.
//   T3. A child of a critical node is critical only if it is on the critical path among its siblings.
import type { StepFacts, StepStatus } from '../storage/rows.ts'
import { criticalPath } from './critical-path.policy.ts'

/** What is known of one attempt beside its place and times. */
export type StepDetails = StepFacts & {
  readonly model: string | null
  readonly costUsd: number
  /** Fault code. */
  readonly error: string | null
}

/** One state of one attempt, as stored; times in milliseconds. */
export type StepState = {
  readonly path: string
  readonly attempt: number
  readonly seq: number
  readonly kind: string
  readonly status: StepStatus
  readonly atMs: number
  readonly dispatchedAtMs: number | null
  readonly latencyMs: number | null
  readonly details: StepDetails
}

/** A decision of a switch, gate or handler. */
export type Decision = {
  readonly path: string
  readonly atMs: number
  readonly seq: number
  readonly kind: string
  readonly chosen: string
}

/** Details are there where the place is a step of its own. */
export type StepNode = Partial<StepDetails> & {
  readonly path: string
  readonly kind: string
  readonly status: StepStatus | 'abandoned'
  readonly attempt: number
  readonly startMs: number
  readonly endMs: number | null
  /** Time of the work itself as its service measured it. */
  readonly latencyMs: number | null
  /** From dispatch to answer, waiting in topics and for people included. */
  readonly totalMs: number | null
  /** `totalMs` without `latencyMs`. */
  readonly waitedMs: number | null
  readonly critical: boolean
  readonly chosen: string | null
  readonly earlier: readonly Omit<StepNode, 'children' | 'earlier' | 'critical' | 'chosen'>[]
  readonly children: readonly StepNode[]
}

type Draft = { path: string; attempts: Attempt[]; decisions: Decision[]; children: Draft[] }
type Attempt = Omit<StepNode, 'children' | 'earlier' | 'critical' | 'chosen'> & { readonly seq: number }

/** `ended`: the run is over, so what is still open was given up. */
export const stepTree = (
  states: readonly StepState[],
  decisions: readonly Decision[],
  { ended }: { ended: boolean },
): readonly StepNode[] => {
  const drafts = new Map<string, Draft>()
  const roots: Draft[] = []
  const draftOf = (path: string): Draft => {
    const known = drafts.get(path)
    if (known !== undefined) return known
    const draft: Draft = { path, attempts: [], decisions: [], children: [] }
    drafts.set(path, draft)
    const slash = path.lastIndexOf('/')
    const siblings = slash < 0 ? roots : draftOf(path.slice(0, slash)).children // T2
    siblings.push(draft)
    return draft
  }
  for (const attempt of attemptsOf(states, ended)) draftOf(attempt.path).attempts.push(attempt)
  for (const decision of decisions) draftOf(decision.path).decisions.push(decision)
  return nodesOf(roots, true)
}

/** All that ended, and of what is open the newest state of each attempt. */
const attemptsOf = (states: readonly StepState[], ended: boolean): readonly Attempt[] => {
  const sorted = [...states].sort((a, b) => a.seq - b.seq)
  const dispatchedAt = new Map<string, number>()
  const open = new Map<string, StepState>()
  const done: StepState[] = []
  for (const state of sorted) {
    const key = `${state.path}/${state.attempt}`
    if (state.dispatchedAtMs !== null) dispatchedAt.set(key, state.dispatchedAtMs)
    if (state.status === 'dispatched' || state.status === 'waiting') open.set(key, state)
    else {
      open.delete(key)
      done.push(state)
    }
  }
  const toAttempt = (state: StepState, isOpen: boolean): Attempt => {
    const startMs = state.dispatchedAtMs ?? dispatchedAt.get(`${state.path}/${state.attempt}`) ?? state.atMs
    const totalMs = isOpen ? null : Math.max(0, state.atMs - startMs)
    const { path, attempt, kind, latencyMs, seq } = state
    const waitedMs = totalMs === null || latencyMs === null ? null : Math.max(0, Math.round((totalMs - latencyMs) * 1_000) / 1_000)
    return {
      ...state.details,
      path,
      kind,
      status: isOpen && ended ? 'abandoned' : state.status,
      attempt,
      startMs,
      endMs: isOpen ? null : state.atMs,
      latencyMs,
      totalMs,
      waitedMs,
      seq,
    }
  }
  return [...done.map((state) => toAttempt(state, false)), ...[...open.values()].map((state) => toAttempt(state, true))].sort(
    (a, b) => a.seq - b.seq,
  )
}

const nodesOf = (drafts: readonly Draft[], onPath: boolean): readonly StepNode[] => {
  const spans = drafts.map((draft) => ({ draft, span: spanOf(draft) }))
  // What was given up took nobody's time.
  const counted = spans.filter(({ draft }) => !isGivenUp(draft)).map(({ draft, span }) => ({ id: draft.path, ...span }))
  const critical = new Set(onPath ? criticalPath(counted) : [])
  return spans
    .sort((a, b) => a.span.startMs - b.span.startMs || a.span.firstSeq - b.span.firstSeq)
    .map(({ draft }) => nodeOf(draft, critical.has(draft.path)))
}

const isGivenUp = ({ attempts, decisions, children }: Draft): boolean =>
  decisions.length === 0 && attempts.every(({ status }) => status === 'abandoned') && children.every(isGivenUp)

type Span = { startMs: number; endMs: number | null; seq: number; firstSeq: number }

/** From the first start below a place to its last end. */
const spanOf = ({ attempts, decisions, children }: Draft): Span => {
  const parts: readonly Span[] = [
    ...attempts.map(({ startMs, endMs, status, seq }) => ({
      startMs,
      endMs: status === 'abandoned' ? startMs : endMs,
      seq,
      firstSeq: seq,
    })),
    ...decisions.map(({ atMs, seq }) => ({ startMs: atMs, endMs: atMs, seq, firstSeq: seq })),
    ...children.map(spanOf),
  ]
  return {
    startMs: Math.min(...parts.map(({ startMs }) => startMs)),
    endMs: parts.some(({ endMs }) => endMs === null) ? null : Math.max(...parts.map(({ endMs }) => endMs ?? 0)),
    seq: Math.max(...parts.map(({ seq }) => seq)),
    firstSeq: Math.min(...parts.map(({ firstSeq }) => firstSeq)),
  }
}

const nodeOf = (draft: Draft, critical: boolean): StepNode => {
  const children = nodesOf(draft.children, critical) // T3
  const chosen = draft.decisions.toSorted((a, b) => a.seq - b.seq).at(-1)?.chosen ?? null
  const newest = draft.attempts.at(-1)
  if (newest !== undefined) {
    const { seq: _, ...own } = newest
    const earlier = draft.attempts.slice(0, -1).map(({ seq: _seq, ...attempt }) => attempt) // T1
    return { ...own, critical, chosen, earlier, children }
  }
  const { startMs, endMs } = spanOf(draft)
  const kind = draft.decisions[0]?.kind ?? 'group'
  const totalMs = endMs === null ? null : endMs - startMs
  const status = endMs === null ? 'dispatched' : 'completed'
  return {
    path: draft.path,
    kind,
    status,
    attempt: 1,
    startMs,
    endMs,
    latencyMs: totalMs,
    totalMs,
    waitedMs: null,
    critical,
    chosen,
    earlier: [],
    children,
  }
}
