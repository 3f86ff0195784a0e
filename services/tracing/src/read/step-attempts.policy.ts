// From the states that were told to the attempts they are states of.
//   T5. Of an open attempt the newest state speaks; its end, whenever it comes, takes the place of all of them.
//   T6. A composed step is open from `opened` to the end of its place; what it said when it began stays with it.
//   T7. What is open when the run is over, or when a step around it has ended, was given up.
import type { StepFacts, StepStatus } from '../storage/rows.ts'

/** What is known of one attempt beside its place and times. */
export type StepDetails = StepFacts & {
  readonly model: string | null
  readonly costUsd: number
  /** Fault code. */
  readonly error: string | null
}

/** One state of one attempt, as stored; times in milliseconds. `details` may hold some of them only. */
export type StepState = {
  readonly path: string
  readonly attempt: number
  readonly seq: number
  readonly kind: string
  readonly status: StepStatus
  readonly atMs: number
  readonly dispatchedAtMs: number | null
  readonly latencyMs: number | null
  readonly details: Partial<StepDetails>
}

/** One attempt at one place. `seq` names the state that speaks for it. */
export type Attempt = Partial<StepDetails> & {
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
  readonly seq: number
}

type Context = { readonly ended: boolean; readonly parent: (path: string) => string | undefined }
type Found = { readonly state: StepState; readonly startMs: number; readonly isOpen: boolean }

/** All attempts that ended, and those that are open or were given up, in the order of what speaks for them. */
export const attemptsOf = (states: readonly StepState[], { ended, parent }: Context): readonly Attempt[] => {
  const found = foundIn(states.toSorted((a, b) => a.seq - b.seq))
  const closedAt = new Map<string, number>()
  for (const { state, isOpen } of found) if (!isOpen) closedAt.set(state.path, Math.max(state.seq, closedAt.get(state.path) ?? 0))
  const isGivenUp = ({ path, seq }: StepState): boolean => {
    for (let around = parent(path); around !== undefined; around = parent(around)) if ((closedAt.get(around) ?? -1) > seq) return true
    return ended
  }
  return found
    .map(({ state, startMs, isOpen }) => {
      if (!isOpen) return attemptOf(state, startMs, state.status)
      return attemptOf(state, startMs, isGivenUp(state) ? 'abandoned' : state.status) // T7
    })
    .sort((a, b) => a.seq - b.seq)
}

const foundIn = (sorted: readonly StepState[]): readonly Found[] => {
  const dispatchedAt = new Map<string, number>()
  const open = new Map<string, StepState>()
  const opened = new Map<string, StepState>()
  const startOf = (state: StepState): number => state.dispatchedAtMs ?? dispatchedAt.get(keyOf(state)) ?? state.atMs
  const end = (state: StepState): Found => {
    open.delete(keyOf(state))
    const began = opened.get(state.path)
    if (began?.kind !== state.kind) return { state, startMs: startOf(state), isOpen: false }
    opened.delete(state.path)
    return { state: { ...state, details: { ...began.details, ...state.details } }, startMs: began.atMs, isOpen: false } // T6
  }
  const done: Found[] = []
  for (const state of sorted) {
    if (state.dispatchedAtMs !== null) dispatchedAt.set(keyOf(state), state.dispatchedAtMs)
    if (state.status === 'opened') opened.set(state.path, state)
    else if (state.status === 'dispatched' || state.status === 'waiting') open.set(keyOf(state), state) // T5
    else done.push(end(state))
  }
  return [...done, ...[...open.values(), ...opened.values()].map((state) => ({ state, startMs: startOf(state), isOpen: true }))]
}

const keyOf = ({ path, attempt }: StepState): string => `${path}/${attempt}`

const attemptOf = (
  { path, kind, attempt, atMs, latencyMs, seq, details }: StepState,
  startMs: number,
  status: Attempt['status'],
): Attempt => {
  const isOver = status === 'completed' || status === 'failed'
  const totalMs = isOver ? Math.max(0, atMs - startMs) : null
  const waitedMs = totalMs === null || latencyMs === null ? null : Math.max(0, Math.round((totalMs - latencyMs) * 1_000) / 1_000)
  const number = Math.max(1, attempt)
  return { ...details, path, kind, status, attempt: number, startMs, endMs: isOver ? atMs : null, latencyMs, totalMs, waitedMs, seq }
}
