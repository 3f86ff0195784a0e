// The steps of a run as a tree, with its critical path and what each level sums up to.
//   T1. A place in the run is one node: the newest attempt speaks for it, earlier ones are listed in it.
//   T2. The path of a place says where it hangs; a parent that is no step itself appears as a group around its children.
//   T3. A child of a critical node is critical only if it is on the critical path among its siblings.
//   T4. Sums count everything at and below a place once: a composed step's own figures are those of its parts.
import { criticalPath } from './critical-path.policy.ts'
import { attemptsOf, type Attempt, type StepState } from './step-attempts.policy.ts'
import { isComposed, isWaiting } from './step-kind.policy.ts'
import { groupKind, parentOf } from './step-place.policy.ts'

/** A decision of a switch, gate or handler. */
export type Decision = {
  readonly path: string
  readonly atMs: number
  readonly seq: number
  readonly kind: string
  readonly chosen: string
}

/** What happened at a place and below it. */
export type Sum = {
  /** Attempts that ended, those of composed steps left out. */
  readonly steps: number
  readonly failed: number
  readonly costUsd: number
  /** Time of the work itself, added up. */
  readonly workMs: number
  /** Time that people, other teams, events and clocks were waited for, added up. */
  readonly waitMs: number
}

type PartStatus = Attempt['status']

/** Details are there where the place is a step of its own. */
export type StepNode = Attempt & {
  readonly critical: boolean
  readonly chosen: string | null
  readonly earlier: readonly Attempt[]
  readonly sum: Sum
  /** Direct children by status; absent where there are none. */
  readonly counts?: Readonly<Partial<Record<PartStatus, number>>>
  readonly children: readonly StepNode[]
}

/** `marks`: moments at which something began that is told to end by nobody but its parts. */
type Draft = { path: string; attempts: Attempt[]; decisions: Decision[]; marks: Mark[]; children: Draft[]; span?: Span }
type Mark = Pick<Decision, 'path' | 'atMs' | 'seq' | 'kind'>
type Options = {
  /** The run is over, so what is still open was given up. */
  readonly ended: boolean
  /** Cost of the runs that steps of this one started. */
  readonly runCostUsd?: (runId: string) => number
}

/** The tree of the steps of a run. */
export const stepTree = (states: readonly StepState[], decisions: readonly Decision[], options: Options): readonly StepNode[] => {
  const steps = new Set([...states, ...decisions].map(({ path }) => path))
  const parent = (path: string): string | undefined => parentOf(path, (known) => steps.has(known))
  const drafts = new Map<string, Draft>()
  const roots: Draft[] = []
  const draftOf = (path: string): Draft => {
    const known = drafts.get(path)
    if (known !== undefined) return known
    const draft: Draft = { path, attempts: [], decisions: [], marks: [], children: [] }
    drafts.set(path, draft)
    const around = parent(path)
    const siblings = around === undefined ? roots : draftOf(around).children // T2
    siblings.push(draft)
    return draft
  }
  const isMark = ({ status, kind }: StepState): boolean => status === 'opened' && kind === 'undo'
  for (const mark of states.filter(isMark)) draftOf(mark.path).marks.push(mark)
  const told = states.filter((state) => !isMark(state))
  for (const attempt of attemptsOf(told, { ended: options.ended, parent })) draftOf(attempt.path).attempts.push(attempt)
  for (const decision of decisions) draftOf(decision.path).decisions.push(decision)
  const runCostUsd = options.runCostUsd ?? ((): number => 0)
  return nodesOf(roots, { critical: true, kind: undefined, runCostUsd })
}

type Around = { readonly critical: boolean; readonly kind: string | undefined; readonly runCostUsd: (runId: string) => number }

const nodesOf = (drafts: readonly Draft[], around: Around): readonly StepNode[] => {
  const spans = drafts.map((draft) => ({ draft, span: spanOf(draft) }))
  // What was given up took nobody's time.
  const counted = spans.filter(({ draft }) => !isGivenUp(draft)).map(({ draft, span }) => ({ id: draft.path, ...span }))
  const critical = new Set(around.critical ? criticalPath(counted) : [])
  return spans
    .sort((a, b) => a.span.startMs - b.span.startMs || a.span.firstSeq - b.span.firstSeq)
    .map(({ draft }) => nodeOf(draft, { ...around, critical: critical.has(draft.path) }))
}

const isGivenUp = ({ attempts, decisions, marks, children }: Draft): boolean =>
  decisions.length === 0 &&
  (marks.length === 0 || children.length > 0) &&
  attempts.every(({ status }) => status === 'abandoned') &&
  children.every(isGivenUp)

type Span = { readonly startMs: number; readonly endMs: number | null; readonly seq: number; readonly firstSeq: number }

/** From the first start at or below a place to its last end. */
const spanOf = (draft: Draft): Span => (draft.span ??= spanOver(partsOf(draft)))

const partsOf = ({ attempts, decisions, marks, children }: Draft): readonly Span[] => [
  ...attempts.map(({ startMs, endMs, status, seq }) => ({
    startMs,
    endMs: status === 'abandoned' ? startMs : endMs,
    seq,
    firstSeq: seq,
  })),
  ...[...decisions, ...marks].map(({ atMs, seq }) => ({ startMs: atMs, endMs: atMs, seq, firstSeq: seq })),
  ...children.map(spanOf),
]

const spanOver = (parts: readonly Span[]): Span =>
  parts.reduce((span, part) => ({
    startMs: Math.min(span.startMs, part.startMs),
    endMs: span.endMs === null || part.endMs === null ? null : Math.max(span.endMs, part.endMs),
    seq: Math.max(span.seq, part.seq),
    firstSeq: Math.min(span.firstSeq, part.firstSeq),
  }))

const nodeOf = (draft: Draft, around: Around): StepNode => {
  const chosen = draft.decisions.toSorted((a, b) => a.seq - b.seq).at(-1)?.chosen ?? null
  const newest = draft.attempts.at(-1)
  const kind = newest?.kind ?? draft.marks[0]?.kind ?? draft.decisions[0]?.kind ?? groupKind(draft.path, around.kind)
  const children = nodesOf(draft.children, { ...around, kind }) // T3
  const own = newest ?? groupAttempt(draft, { kind, children })
  return {
    ...own,
    critical: around.critical,
    chosen,
    earlier: draft.attempts.slice(0, -1), // T1
    sum: sumOf(draft.attempts, { kind, children, runCostUsd: around.runCostUsd }),
    ...(children.length === 0 ? {} : { counts: countsOf(children) }),
    children,
  }
}

const groupAttempt = (draft: Draft, { kind, children }: { kind: string; children: readonly StepNode[] }): Attempt => {
  const { startMs, endMs, seq } = spanOf(draft)
  const totalMs = endMs === null ? null : endMs - startMs
  const status = groupStatus(draft, children)
  return { path: draft.path, kind, status, attempt: 1, startMs, endMs, latencyMs: totalMs, totalMs, waitedMs: null, seq }
}

/** A group is what its last child is: each of them went on only if the one before did not end it. */
const groupStatus = (draft: Draft, children: readonly StepNode[]): PartStatus => {
  if (spanOf(draft).endMs === null) return 'dispatched'
  if (isGivenUp(draft)) return 'abandoned'
  const last = children.toSorted((a, b) => a.seq - b.seq).at(-1)
  return last?.status === 'failed' ? 'failed' : 'completed'
}

const countsOf = (nodes: readonly StepNode[]): StepNode['counts'] & object => {
  const counts: Partial<Record<PartStatus, number>> = {}
  for (const { status } of nodes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

type Below = { readonly kind: string; readonly children: readonly StepNode[]; readonly runCostUsd: (runId: string) => number }

const sumOf = (attempts: readonly Attempt[], { kind, children, runCostUsd }: Below): Sum => {
  const below = children.reduce((total, { sum }) => added(total, sum), NOTHING)
  const own = attempts.reduce((total, attempt) => added(total, figuresOf(attempt, runCostUsd)), NOTHING)
  const costUsd = isComposed(kind) ? Math.max(own.costUsd, below.costUsd) : own.costUsd + below.costUsd // T4
  return { ...added(below, own), costUsd: Math.round(costUsd * 1e6) / 1e6 }
}

const NOTHING: Sum = { steps: 0, failed: 0, costUsd: 0, workMs: 0, waitMs: 0 }

const added = (left: Sum, right: Sum): Sum => ({
  steps: left.steps + right.steps,
  failed: left.failed + right.failed,
  costUsd: left.costUsd + right.costUsd,
  workMs: left.workMs + right.workMs,
  waitMs: left.waitMs + right.waitMs,
})

/** Of one attempt. A step that started a run costs what the run cost. */
const figuresOf = ({ kind, status, latencyMs, costUsd = 0, childRunId }: Attempt, runCostUsd: Below['runCostUsd']): Sum => {
  const paidUsd = Math.max(costUsd, childRunId === undefined ? 0 : runCostUsd(childRunId))
  if (status !== 'completed' && status !== 'failed') return { ...NOTHING, costUsd: paidUsd }
  const tookMs = latencyMs ?? 0
  const isWork = !isComposed(kind)
  return {
    steps: isWork ? 1 : 0,
    failed: isWork && status === 'failed' ? 1 : 0,
    costUsd: paidUsd,
    workMs: isWork && !isWaiting(kind) ? tookMs : 0,
    waitMs: isWaiting(kind) ? tookMs : 0,
  }
}
