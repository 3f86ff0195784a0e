// A clock for tests: days take no time.
//   C1. Time stands still while anything goes on, and jumps to the next sleep that ends when nothing does.
//   C2. Sleeps end one after the other, in the order of their time, then in the order in which they began: the same every time.
//   C3. Where nothing goes on and nobody sleeps until a time, nothing will ever happen: somebody is told.
import type { MemoryPorts } from './memory-runs.ts'

export type FakeClock = Required<Pick<MemoryPorts, 'nowMs' | 'sleep' | 'during' | 'sleepMaxMs'>>

type Sleeper = { readonly untilMs: number; readonly wake: () => void }

/** A clock that shows `startMs` until everything sleeps. What goes on has to go on inside `during`, one sleep of it at a time. */
export const createFakeClock = ({ startMs, onStuck }: { readonly startMs: number; readonly onStuck: () => void }): FakeClock => {
  const sleepers = new Set<Sleeper>()
  let nowMs = startMs
  let goingOn = 0

  const rest = (): void => {
    goingOn -= 1
    // Whoever goes to sleep here may still be about to say something.
    if (goingOn === 0) void Promise.resolve().then(jump)
  }
  const jump = (): void => {
    if (goingOn > 0) return // C1
    let next: Sleeper | undefined
    for (const sleeper of sleepers) if (next === undefined || sleeper.untilMs < next.untilMs) next = sleeper // C2
    if (next === undefined) return
    if (next.untilMs === Infinity) {
      onStuck() // C3
      return
    }
    nowMs = Math.max(nowMs, next.untilMs)
    next.wake()
  }
  return {
    nowMs: () => nowMs,
    sleepMaxMs: Infinity,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve()
          return
        }
        const wake = (): void => {
          if (!sleepers.delete(sleeper)) return
          signal.removeEventListener('abort', wake)
          goingOn += 1
          resolve()
        }
        const sleeper = { untilMs: nowMs + Math.max(0, ms), wake }
        sleepers.add(sleeper)
        signal.addEventListener('abort', wake)
        rest()
      }),
    during: async (work) => {
      goingOn += 1
      try {
        return await work()
      } finally {
        rest()
      }
    },
  }
}
