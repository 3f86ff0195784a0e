// Pieces of an answer whose step has guards on its output: what leaves has been looked at (D5).
//   G1. Nothing leaves that a guard would redact or block; the last characters are held back until more is known.
//   G2. What is blocked, or cannot be looked at, ends the stream of that call as broken: nobody is shown the rest.
//   G3. A guard that can only look at the whole is not streamed past: then nothing is streamed.
import type { JsonSchema } from '@baton/contracts/json'
import { guardsOf, streamGuard, type Deadline, type NamedGuard, type StreamGuard } from '@baton/policy/guard'
import type { PieceSink } from '../attempts/dispatch.ts'

/** What decides whether pieces of an answer are shown, and which. */
export type Shown = { readonly returns?: JsonSchema | undefined; readonly guard?: readonly NamedGuard[] | undefined }

const BUDGET_MS = 1_000

const looksAtOutput = ({ options }: NamedGuard): boolean => options['on'] === undefined || options['on'] !== 'input'

const deadline = (): Deadline => {
  const until = performance.now() + BUDGET_MS
  return () => {
    if (performance.now() > until) throw new Error('the guards of a stream took too long')
  }
}

/** The guards of a step on a stream: a way to guard a sink, or undefined where nothing may be streamed (G3). */
export const pieceGuard = (named: readonly NamedGuard[]): ((sink: PieceSink) => PieceSink) | undefined => {
  const wanted = named.filter(looksAtOutput)
  if (wanted.length === 0) return (sink) => sink
  const guards = guardsOf(wanted, 'output')
  return guards.length === wanted.length ? (sink) => guarded(sink, () => streamGuard(guards, { deadline })) : undefined
}

const guarded = (sink: PieceSink, open: () => StreamGuard): PieceSink => {
  const calls = new Map<number, StreamGuard | 'stopped'>()
  const stop = (call: number): void => {
    calls.set(call, 'stopped')
    sink.end(call, 'broken') // G2
  }
  const leave = (call: number, step: () => { readonly text: string; readonly stopped: boolean }): boolean => {
    try {
      const { text, stopped } = step()
      if (text !== '') sink.piece(call, text)
      if (stopped) stop(call)
      return !stopped
    } catch {
      stop(call)
      return false
    }
  }
  return {
    piece: (call, text) => {
      const guard = calls.get(call) ?? open()
      if (guard === 'stopped') return
      calls.set(call, guard)
      leave(call, () => guard.push(text)) // G1
    },
    end: (call, how) => {
      const guard = calls.get(call)
      if (guard === 'stopped') return
      if (guard !== undefined && how === 'done' && !leave(call, () => guard.end())) return
      sink.end(call, how)
    },
  }
}
