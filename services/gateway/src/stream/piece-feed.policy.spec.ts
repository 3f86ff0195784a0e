import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { PieceFeed } from './piece-feed.policy.ts'

const piece = (seq: number, text: string, { attempt = 1, call = 1, path = 'answer' } = {}) => ({
  runId: 'r',
  tenant: 't',
  path,
  attempt,
  attemptId: `a${attempt}`,
  call,
  seq,
  text,
})

describe('pieces for a reader (B11)', () => {
  it('E1: a later call or attempt makes what came before void, also where it comes late', () => {
    const feed = new PieceFeed()
    expect(feed.take(piece(0, 'Your card'), 10)).toBe(true)
    expect(feed.take(piece(0, 'It', { call: 2 }), 11)).toBe(true)
    expect(feed.take(piece(1, ' is'), 12)).toBe(false)
    expect(feed.take(piece(0, 'Again', { attempt: 2 }), 13)).toBe(true)
    expect(feed.take(piece(1, ' late', { call: 2 }), 14)).toBe(false)
    expect(feed.drain()).toMatchObject([{ text: 'Again', attempt: 2, offset: 13 }])
  })
  it('E1: a repeat of a piece is left out', () => {
    const feed = new PieceFeed()
    expect([feed.take(piece(0, 'a'), 1), feed.take(piece(0, 'a'), 2), feed.take(piece(1, 'b'), 3)]).toEqual([true, false, true])
    expect(feed.drain()).toMatchObject([{ text: 'ab', offset: 3 }])
  })
  it('E2: what waits for a slow reader is put together, and nothing of it is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 100 }), fc.array(fc.boolean()), (texts, reads) => {
        const feed = new PieceFeed()
        let read = ''
        for (const [at, text] of texts.entries()) {
          feed.take(piece(at, text), at)
          if (reads[at] === true)
            read += feed
              .drain()
              .map((one) => one.text)
              .join('')
        }
        const rest = feed.drain()
        return rest.length <= 1 && read + rest.map((one) => one.text).join('') === texts.join('')
      }),
    )
  })
})
