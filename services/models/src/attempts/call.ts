// One call of one model, within its times.
//   Y1. The time to the first piece, between two pieces, and of the whole are bounds of their own, each with its fault.
//   Y2. Pieces of a call that fails are void; nothing of two calls is ever put together.
//   Y3. Who gives a call up gets an end at once, whatever the adapter does with its signal.
import { Fault } from '@baton/contracts/fault'
import type { Answer, Model, Question } from '../model.ts'
import { promiseHandle } from './promise-handle.ts'

type CallTimes = { readonly totalMs: number; readonly firstMs?: number | undefined; readonly idleMs?: number | undefined }
export type CallWork = {
  readonly model: Model
  readonly question: Omit<Question, 'signal' | 'onPiece'>
  readonly times: CallTimes
  /** Ends the call from outside. */
  readonly signal: AbortSignal
  readonly onPiece?: ((text: string) => void) | undefined
}

const timeoutFault = (model: string, which: 'first' | 'idle' | 'total', ms: number): Fault => {
  if (which === 'idle') return new Fault('model.stalled', `${model} wrote nothing for ${ms} ms.`, { model, timeoutMs: ms })
  const what = which === 'first' ? 'did not begin to answer' : 'did not answer'
  return new Fault('model.timed_out', `${model} ${what} within ${ms} ms.`, { model, timeoutMs: ms, phase: which })
}

/** A call under way. */
export type Calling = { readonly answer: Promise<Answer>; readonly giveUp: (reason: Error) => void }

/** Makes the call. Its answer rejects with a Fault, with what the outer signal says, or with the reason it was given up for. */
export const callModel = ({ model, question, times, signal, onPiece }: CallWork): Calling => {
  const { totalMs, firstMs, idleMs } = times
  if (model.local) return { answer: model.invoke({ ...question, signal }), giveUp: () => undefined }
  const own = new AbortController()
  const { promise, resolve, reject } = promiseHandle<Answer>()
  const fail = (fault: unknown): void => {
    reject(fault instanceof Error ? fault : new Error(String(fault))) // Y3
    own.abort(fault)
  }
  const expire = (which: 'first' | 'idle' | 'total', ms: number): NodeJS.Timeout =>
    setTimeout(() => fail(timeoutFault(model.name, which, ms)), ms)
  const total = expire('total', Math.max(1, totalMs))
  let piecewise = firstMs === undefined ? undefined : expire('first', firstMs) // Y1
  const outer = (): void => fail(signal.reason)
  signal.addEventListener('abort', outer, { once: true })
  const listens = onPiece !== undefined || firstMs !== undefined || idleMs !== undefined
  const heard = ({ text }: { readonly text: string }): void => {
    if (own.signal.aborted) return // Y2
    if (piecewise !== undefined && idleMs !== undefined) piecewise.refresh()
    if (!began) {
      began = true
      clearTimeout(piecewise)
      piecewise = idleMs === undefined ? undefined : expire('idle', idleMs)
    }
    if (text !== '') onPiece?.(text)
  }
  let began = false
  const done = (): void => {
    clearTimeout(total)
    clearTimeout(piecewise)
    signal.removeEventListener('abort', outer)
  }
  if (signal.aborted) outer()
  else model.invoke({ ...question, signal: own.signal, ...(listens ? { onPiece: heard } : {}) }).then(resolve, reject)
  return { answer: promise.finally(done), giveUp: fail }
}
