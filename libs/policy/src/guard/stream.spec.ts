import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from '../seeded-random.policy.ts'
import { redactedBy } from './conclude.policy.ts'
import type { Guard } from './guard.ts'
import { guardsOf } from './named.policy.ts'
import { piiGuard } from './pii.policy.ts'
import { secretsGuard } from './secrets.policy.ts'
import { competitorsGuard } from './lists.policy.ts'
import { streamGuard } from './stream.policy.ts'

const cutAt = (text: string, places: readonly number[]): readonly string[] => {
  const cuts = [...new Set(places.map((place) => Math.abs(place) % (text.length + 1)))].toSorted((left, right) => left - right)
  return [0, ...cuts].map((from, index) => text.slice(from, cuts[index] ?? text.length))
}
const flow = (guards: readonly Guard[], pieces: readonly string[], options = {}) => {
  const guard = streamGuard(guards, options)
  const steps = pieces.map((piece) => guard.push(piece))
  const last = guard.end()
  return { text: [...steps, last].map(({ text }) => text).join(''), stopped: last.stopped, verdict: last.verdict, steps }
}

const words = fc.constantFrom('Please', 'write', 'to', 'us', 'about', 'the', 'order', '4711', 'and', 'then', 'wait\n', 'Mr.', 'x')
const personal = fc.constantFrom('ann@mail.example', 'DE89 3704 0044 0532 0130 00', '4111 1111 1111 1111', '+49 30 901820')
const places = fc.array(fc.nat(5_000), { maxLength: 40 })

describe('guards on a stream (B11, D5)', () => {
  it('H5: what nothing is found in leaves whole, in order and once, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 200 }), places, (list, cuts) => {
        const text = list.join(' ')
        expect(flow([competitorsGuard({ names: ['Globex'] })], cutAt(text, cuts)).text).toBe(text)
      }),
    )
  })

  it('H1: the last characters stay behind as long as more may come', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 200 }), places, fc.constantFrom(16, 64, 256), (list, cuts, holdChars) => {
        const guard = streamGuard([piiGuard({ action: 'redact' })], { holdChars, strideChars: 1 })
        let came = 0
        let left = 0
        for (const piece of cutAt(list.join(' '), cuts)) {
          came += piece.length
          left += guard.push(piece).text.length
          expect(left).toBeLessThanOrEqual(Math.max(0, came - holdChars))
        }
      }),
    )
  })

  it('H1, H2: personal data never leaves, however it is cut, and what leaves is what a look at the whole would leave', () => {
    const guard = piiGuard({ action: 'redact' })
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 6, arbitrary: words }, personal), { maxLength: 120 }), places, (list, cuts) => {
        const text = list.join(' ')
        const { text: left } = flow([guard], cutAt(text, cuts))
        expect(left).not.toMatch(/ann@|3704|4111 1111|901820/)
        expect(left).toBe(redactedBy(guard, text, () => {}))
      }),
      { numRuns: 150 },
    )
  })

  it('H3: after a block nothing more leaves', () => {
    const pieces = ['All is well. '.repeat(40), 'The key is ghp_abcdefghijklmnopqrstuvwxyz0123456789 ', 'and so on. '.repeat(40)]
    const { text, stopped, verdict } = flow([secretsGuard({ action: 'block' })], pieces)
    expect(stopped).toBe(true)
    expect(text).not.toContain('ghp_')
    expect(text).not.toContain('so on')
    expect(verdict).toMatchObject({ ok: false, action: 'block' })
  })

  it('H1: a word is not cut, so that a token of any length is seen whole', () => {
    const guard = secretsGuard({ action: 'redact' })
    const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
    const random = seededRandom(7)
    const token = Array.from({ length: 110 }, () => letters[Math.floor(random() * letters.length)]).join('')
    const text = `${'so '.repeat(200)}${token}${' and'.repeat(200)}`
    const clean = redactedBy(guard, text, () => {})
    expect(clean).not.toContain(token.slice(0, 20))
    expect(flow([guard], cutAt(text, [610, 650, 690, 720, 1_000]), { holdChars: 32, strideChars: 8 }).text).toBe(clean)
  })

  it('H4: the verdict is that on the whole text', () => {
    expect(flow([piiGuard({ action: 'flag' })], ['mail ann@', 'mail.example now']).verdict).toMatchObject({
      ok: true,
      action: 'flag',
      findings: [{ kind: 'email' }],
    })
  })

  it('H4: a guard of the whole, as of the language, is asked at the end only', () => {
    const pieces = [
      'Das ist der Titel eines Buches und nicht mehr. '.repeat(4),
      'It is what the customer wants to read about the order. '.repeat(20),
    ]
    const { text, verdict } = flow(guardsOf([{ guard: 'language', options: { allow: ['en'] } }], 'output'), pieces)
    expect({ text, ok: verdict.ok }).toEqual({ text: pieces.join(''), ok: true })
    expect(flow(guardsOf([{ guard: 'language', options: { allow: ['fr'] } }], 'output'), pieces)).toMatchObject({ stopped: true })
    expect(
      guardsOf(
        [
          { guard: 'pii', options: { on: 'input' } },
          { guard: 'length', options: {} },
        ],
        'output',
      ),
    ).toEqual([])
  })

  it('stops a text that is longer than guards may read', () => {
    expect(flow([piiGuard()], ['abc '.repeat(50), 'def '.repeat(50)], { maxChars: 300 })).toMatchObject({
      stopped: true,
      verdict: { action: 'block' },
    })
  })
})
