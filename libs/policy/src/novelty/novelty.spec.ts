import { describe, expect, it } from '@jest/globals'
import { packNovelty, unpackNovelty } from './novelty-bytes.policy.ts'
import { noveltyOf, trainNovelty } from './novelty.policy.ts'

const known = [
  'where is my card',
  'my card has not arrived',
  'when will my card come',
  'refund my payment',
  'i want a refund',
  'refund did not arrive',
]
const examples = known.map((text) => ({ text, group: text.includes('refund') ? 'refund' : 'card' }))
const held = ['has my card arrived', 'where is my refund', 'card not come', 'refund of a payment']

describe('novelty (D8)', () => {
  it('N1: the same examples give the same bytes, in whatever order', () => {
    const bytes = packNovelty(trainNovelty(examples, held))
    expect(packNovelty(trainNovelty(examples, held.toReversed()))).toEqual(bytes)
    expect(packNovelty(unpackNovelty(bytes))).toEqual(bytes)
  })

  it('N2: a place among the held-back examples: 0 is nearer than all of them, 1 farther', () => {
    const model = trainNovelty(examples, held)
    expect(noveltyOf(model, 'where is my card')).toBeLessThan(0.5)
    expect(noveltyOf(model, 'tell me a joke about penguins')).toBe(1)
    expect(noveltyOf(model, '')).toBe(1)
    for (const text of held) expect(noveltyOf(model, text)).toBeLessThanOrEqual(1)
  })

  it('N3: bytes that are cut, too long or of another format are refused', () => {
    const bytes = packNovelty(trainNovelty(examples, held))
    for (const wrong of [bytes.subarray(0, 8), bytes.subarray(0, bytes.length - 1), new Uint8Array([...bytes, 0]), new Uint8Array(40)])
      expect(() => unpackNovelty(wrong)).toThrow('cannot be read')
  })
})
