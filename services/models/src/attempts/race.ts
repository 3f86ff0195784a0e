// A call, and a second one beside it when the first is slow (B7).
//   X1. The first whole answer counts; the other call is given up. When one fails the other goes on; when both fail, the first's fault counts.
//   X3. Both are paid: the race is over when what was given up is billed as well.
//   X2. The second is started once, only where the first has not begun to write.
import type { Answer } from '../model.ts'
import { promiseHandle } from './promise-handle.ts'

export type Racer = {
  readonly answer: Promise<Answer>
  /** Whether it has begun to write. */
  readonly began: () => boolean
  /** Another was faster. */
  readonly giveUp: () => void
}
export type Finish = { readonly answer: Answer; readonly hedged: boolean; readonly won: 'first' | 'second' }

/** Runs the race. `second` undefined: it may not be started after all. */
export const race = async (
  first: Racer,
  hedge: { readonly afterMs: number; readonly second: () => Promise<Racer | undefined> } | undefined,
): Promise<Finish> => {
  if (hedge === undefined) return { answer: await first.answer, hedged: false, won: 'first' }
  const { promise: due, resolve: fire } = promiseHandle<'due'>()
  const timer = setTimeout(() => fire('due'), hedge.afterMs)
  const begun = await Promise.race([
    first.answer.then(
      () => 'over' as const,
      () => 'over' as const,
    ),
    due,
  ])
  clearTimeout(timer)
  const second = begun === 'over' || first.began() ? undefined : await hedge.second() // X2
  if (second === undefined) return { answer: await first.answer, hedged: false, won: 'first' }
  const finish =
    (won: Finish['won']) =>
    (answer: Answer): Finish => ({ answer, hedged: true, won })
  try {
    const winner = await Promise.any([first.answer.then(finish('first')), second.answer.then(finish('second'))])
    const loser = winner.won === 'first' ? second : first
    loser.giveUp() // X1
    await loser.answer.catch(() => undefined) // X3
    return winner
  } catch {
    return { answer: await first.answer, hedged: true, won: 'first' }
  }
}
