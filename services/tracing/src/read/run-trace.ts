// The trace of a run: its steps as a tree, the runs they started with theirs, and what happened beside them.
//   N4. However large a run is, its trace is read in a bounded number of rows and shown in a bounded number of nodes.
import type { Database } from '@baton/store'
import type { StepDetails } from './step-attempts.policy.ts'
import { nodeAt, pageOf, type More, type Page, type PagedNode } from './step-page.policy.ts'
import { stepTree, type StepNode, type Sum } from './step-tree.policy.ts'
import { relatedRuns, type RelatedRun } from './run.queries.ts'
import type { RunView } from './run-view.ts'
import { decisionsOf, stateKey, stepDetails, stepStates, traceEvents, type TraceEvent } from './trace.queries.ts'

/** States read of the run itself, and of each run below it. */
const ROWS_MAX = 100_000
const ROWS_BELOW_MAX = 1_000
/** Nodes shown in all, and of each run below. */
const NODES_MAX = 2_000
const NODES_BELOW_MAX = 200
/** Runs below whose steps are shown, and how deep. */
const RUNS_MAX = 50
const DEPTH_MAX = 4
const RELATED_MAX = 10_000
const OTHER_RUNS_MAX = 200
const EVENTS_MAX = 1_000

/** A run that a step started, with its steps where they are shown. */
type NestedRun = RelatedRun & { readonly steps?: readonly TraceNode[]; readonly more?: More; readonly sum?: Sum }
export type TraceNode = Omit<PagedNode, 'children'> & { readonly run?: NestedRun; readonly children: readonly TraceNode[] }

export type RunTrace = {
  readonly run: RunView
  readonly steps: readonly TraceNode[]
  /** Steps of the first level that are not shown. */
  readonly more?: More
  /** Of all that is below, shown or not. */
  readonly sum: Sum
  /** False when the run has more states than are read; sums and counts are of those that were. */
  readonly complete: boolean
  readonly events: readonly TraceEvent[]
  /** Runs of which no step is shown that started them, and those that run this one again. */
  readonly otherRuns: readonly RelatedRun[]
}

export type TraceQuery = {
  /** Only what is below this place. */
  readonly under?: string | undefined
  /** Children of the first level that have been seen before. */
  readonly after: number
  readonly levelMax: number
}

/** Reads the trace of a run that is known. */
export const readTrace = async (db: Database, run: RunView, query: TraceQuery): Promise<RunTrace> => {
  const { runId, tenant } = run
  const { under } = query
  const asked = { tenant, runIds: [runId], rowsMax: ROWS_MAX, under }
  const [states, decisions, related, events] = await Promise.all([
    stepStates(db, asked),
    decisionsOf(db, asked),
    relatedRuns(db, { tenant, runId, max: RELATED_MAX }),
    traceEvents(db, { tenant, runId, max: EVENTS_MAX }),
  ])
  const known = states.get(runId) ?? []
  const costs = new Map(related.map((child) => [child.runId, child.costUsd]))
  const tree = stepTree(known, decisions.get(runId) ?? [], {
    ended: run.endedAtMs !== null,
    runCostUsd: (id) => costs.get(id) ?? 0,
  })
  const nodes = under === undefined ? tree : (nodeAt(tree, under)?.children ?? [])
  const page = pageOf(nodes, { levelMax: query.levelMax, nodesMax: NODES_MAX, after: query.after })
  const nesting: Nesting = { db, tenant, runsLeft: RUNS_MAX }
  const [shown] = await complete(nesting, [{ runId, page, related }], 1)
  const placed = new Set(known.flatMap(({ details }) => details.childRunId ?? []))
  return {
    run,
    steps: shown?.steps ?? [],
    ...(page.more === undefined ? {} : { more: page.more }),
    sum: totalOf(nodes),
    complete: known.length < ROWS_MAX,
    events,
    otherRuns: under === undefined ? related.filter(({ runId: id }) => !placed.has(id)).slice(0, OTHER_RUNS_MAX) : [],
  }
}

type Nesting = { readonly db: Database; readonly tenant: string; runsLeft: number }
type Paged = { readonly runId: string; readonly page: Page; readonly related: readonly RelatedRun[] }
type Shown = { readonly runId: string; readonly steps: readonly TraceNode[] }

/** The pages of some runs with what is known of their steps, and with the runs these started. */
const complete = async (nesting: Nesting, runs: readonly Paged[], depth: number): Promise<readonly Shown[]> => {
  const { db, tenant } = nesting
  const [details, below] = await Promise.all([
    stepDetails(db, { tenant, states: runs.flatMap(({ runId, page }) => statesOf(page.nodes).map((seq) => ({ runId, seq }))) }),
    nestedRuns(nesting, runs, depth),
  ])
  return runs.map(({ runId, page, related }) => {
    const children = new Map(related.map((child) => [child.runId, below.get(child.runId) ?? child]))
    const full = (seq: number): StepDetails | undefined => details.get(stateKey({ runId, seq }))
    return { runId, steps: page.nodes.map((node) => traceNode(node, { full, children })) }
  })
}

/** The runs that the steps shown have started: with their steps, as long as there is room (N4). */
const nestedRuns = async (nesting: Nesting, runs: readonly Paged[], depth: number): Promise<ReadonlyMap<string, NestedRun>> => {
  const { db, tenant } = nesting
  const found = runs.flatMap(({ page, related }) => {
    const started = new Set(childrenOf(page.nodes))
    return related.filter(({ runId }) => started.has(runId))
  })
  const wanted = depth > DEPTH_MAX ? [] : found.slice(0, nesting.runsLeft)
  if (wanted.length === 0) return new Map()
  nesting.runsLeft -= wanted.length
  const asked = { tenant, runIds: wanted.map(({ runId }) => runId), rowsMax: ROWS_BELOW_MAX }
  const [states, decisions, ...related] = await Promise.all([
    stepStates(db, asked),
    decisionsOf(db, asked),
    ...wanted.map(({ runId }) => relatedRuns(db, { tenant, runId, max: ROWS_BELOW_MAX })),
  ])
  const trees = wanted.map((run, index) => {
    const started = related[index] ?? []
    const costs = new Map(started.map((child) => [child.runId, child.costUsd]))
    const tree = stepTree(states.get(run.runId) ?? [], decisions.get(run.runId) ?? [], {
      ended: run.status !== 'running' && run.status !== 'paused',
      runCostUsd: (id) => costs.get(id) ?? 0,
    })
    return { run, sum: totalOf(tree), page: pageOf(tree, { levelMax: NODES_BELOW_MAX, nodesMax: NODES_BELOW_MAX }), related: started }
  })
  const shown = await complete(
    nesting,
    trees.map(({ run, page, related: started }) => ({ runId: run.runId, page, related: started })),
    depth + 1,
  )
  return new Map(
    trees.map(({ run, page, sum }, index) => [
      run.runId,
      { ...run, steps: shown[index]?.steps ?? [], sum, ...(page.more === undefined ? {} : { more: page.more }) },
    ]),
  )
}

const statesOf = (nodes: readonly PagedNode[]): readonly number[] =>
  nodes.flatMap(({ seq, earlier, children }) => [seq, ...earlier.map((attempt) => attempt.seq), ...statesOf(children)])

const childrenOf = (nodes: readonly PagedNode[]): readonly string[] =>
  nodes.flatMap(({ childRunId, children }) => [...(childRunId === undefined ? [] : [childRunId]), ...childrenOf(children)])

type Known = { readonly full: (seq: number) => StepDetails | undefined; readonly children: ReadonlyMap<string, NestedRun> }

const traceNode = (node: PagedNode, known: Known): TraceNode => {
  const isStep = node.error !== undefined // a group has no details
  const run = node.childRunId === undefined ? undefined : known.children.get(node.childRunId)
  return {
    ...node,
    ...(isStep ? known.full(node.seq) : {}),
    earlier: node.earlier.map((attempt) => ({ ...attempt, ...known.full(attempt.seq) })),
    children: node.children.map((child) => traceNode(child, known)),
    ...(run === undefined ? {} : { run }),
  }
}

const totalOf = (nodes: readonly StepNode[]): Sum => {
  const total = { steps: 0, failed: 0, costUsd: 0, workMs: 0, waitMs: 0 }
  for (const { sum } of nodes) {
    total.steps += sum.steps
    total.failed += sum.failed
    total.costUsd += sum.costUsd
    total.workMs += sum.workMs
    total.waitMs += sum.waitMs
  }
  return { ...total, costUsd: Math.round(total.costUsd * 1e6) / 1e6 }
}
