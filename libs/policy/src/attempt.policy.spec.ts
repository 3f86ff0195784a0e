import { describe, expect, it } from '@jest/globals'
import { FAULTS, type FaultCode } from '@baton/contracts/fault'
import fc from 'fast-check'
import { type Candidate, firstMove, type Move, nextMove, passMove, shareOfTry, type TrySpec } from './attempt.policy.ts'

const spec: TrySpec = {
  attempts: 3,
  timeoutMs: 8_000,
  waitMaxMs: 2_000,
  backoff: 'exponential',
  delayMs: 200,
  maxDelayMs: 10_000,
  jitter: false,
}
const large: Candidate = { name: 'large', reaskable: true, weight: 1 }
const small: Candidate = { name: 'small', reaskable: true, weight: 1 }
const local: Candidate = { name: 'local', reaskable: false, weight: 0.05 }

type Failure = FaultCode | { readonly code: FaultCode; readonly retryAfterMs: number }

/** Plays failures one after the other and tells what was asked. */
const play = (candidates: readonly Candidate[], failures: readonly Failure[], change: Partial<TrySpec> = {}): readonly string[] => {
  let move: Move = firstMove()
  const told: string[] = []
  for (const failure of [...failures, undefined]) {
    if (move.do === 'stop') {
      told.push(`stop: ${move.progress.failures[move.failure]?.code}${move.retryAfterMs === undefined ? '' : ` in ${move.retryAfterMs}`}`)
      break
    }
    told.push(`${candidates[move.candidate]?.name}${move.reask ? ' again' : ''}${move.waitMs > 0 ? ` after ${move.waitMs}` : ''}`)
    if (failure === undefined) break
    const failed = typeof failure === 'string' ? { code: failure } : failure
    move = nextMove(move.progress, failed, { spec: { ...spec, ...change }, candidates, random: 0 })
  }
  return told
}

describe('attempts of one dispatch', () => {
  it('retries one candidate with growing waits, then gives up with what would help', () => {
    expect(play([large], ['model.unavailable', 'model.unavailable', 'model.unavailable'])).toEqual([
      'large',
      'large after 200',
      'large after 400',
      'stop: model.unavailable',
    ])
  })

  it('T1: each try walks the failover list from the front', () => {
    expect(play([large, small], ['model.unavailable', 'model.timed_out', 'model.rate_limited', 'model.timed_out'])).toEqual([
      'large',
      'small',
      'large after 200',
      'small',
      'large after 400',
    ])
  })

  it('T1: a candidate that refused for good is not asked again', () => {
    expect(play([large, small], ['model.refused', 'model.unavailable', 'model.unavailable', 'model.unavailable'])).toEqual([
      'large',
      'small',
      'small after 200',
      'small after 400',
      'stop: model.unavailable',
    ])
    expect(play([large], ['model.refused'])).toEqual(['large', 'stop: model.refused'])
  })

  it('T2: a fault that only the caller can mend stops at once', () => {
    expect(play([large, small], ['config.invalid'])).toEqual(['large', 'stop: config.invalid'])
  })

  it('T3: asks again once with the error, then fails over (B5, D8)', () => {
    expect(play([large, local], ['output.schema_invalid', 'output.schema_invalid', 'output.schema_invalid'])).toEqual([
      'large',
      'large again',
      'local',
      'large after 200',
    ])
  })

  it('T3: a candidate that always answers the same is not asked again within a try', () => {
    expect(play([local], ['output.schema_invalid'], { attempts: 1 })).toEqual(['local', 'stop: output.schema_invalid'])
  })

  it('T4: a hanging candidate leaves time to fail over; the last one may use all of it', () => {
    const { progress } = firstMove()
    expect(shareOfTry([large, small], progress, 8_000)).toBe(4_000)
    expect(shareOfTry([large, local], progress, 8_000)).toBe(7_619)
    expect(shareOfTry([large, small], { ...progress, at: 1 }, 7_900)).toBe(7_900)
    expect(shareOfTry([large, small], { ...progress, out: ['small'] }, 8_000)).toBe(8_000)
  })

  it('T5: a wait named by the provider that is too long is left to the retry topics', () => {
    expect(play([large], [{ code: 'model.rate_limited', retryAfterMs: 1_500 }])).toEqual(['large', 'large after 1500'])
    expect(play([large], [{ code: 'model.rate_limited', retryAfterMs: 30_000 }])).toEqual(['large', 'stop: model.rate_limited in 30000'])
    expect(play([large], ['model.unavailable'], { delayMs: 5_000 })).toEqual(['large', 'stop: model.unavailable in 5000'])
  })

  it('reports the failure that a later try can mend, wherever it stood in the list', () => {
    expect(play([large, local], ['model.unavailable', 'output.schema_invalid'], { attempts: 1 })).toEqual([
      'large',
      'local',
      'stop: model.unavailable',
    ])
  })

  it('T6: ends for every list and every order of failures', () => {
    const codes = Object.keys(FAULTS) as FaultCode[] // The keys of the table are its codes.
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(large, small, local), { minLength: 1, selector: ({ name }) => name }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.constantFrom(...codes)),
        (candidates, attempts, failures) => {
          let move: Move = firstMove()
          let calls = 0
          while (move.do === 'ask') {
            calls += 1
            expect(calls).toBeLessThanOrEqual(attempts * candidates.length * 2)
            move = nextMove(move.progress, { code: failures.next().value }, { spec: { ...spec, attempts }, candidates, random: 0 })
          }
          expect(move.progress.failures[move.failure]).toBeDefined()
        },
      ),
    )
  })
})

describe('cascades', () => {
  it('T7: an answer that is not good enough goes on to the next, and is not asked for again', () => {
    const started = firstMove()
    const passed = passMove(started.progress, [large, small])
    expect(passed).toMatchObject({ do: 'ask', candidate: 1, progress: { out: ['large'], failures: [] } })
    expect(passed === undefined ? undefined : passMove(passed.progress, [large, small])).toBeUndefined()
  })
})
