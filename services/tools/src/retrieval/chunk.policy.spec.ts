import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { chunksOf } from './chunk.policy.ts'

const solid = (text: string): string => text.replaceAll(/\s+/g, '')

describe('chunks of a document', () => {
  it('K1: hold the whole text once, in order, whatever it is', () => {
    const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.constantFrom('\n\n', '\n# ', '. ', ' ', '\r\n')), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(text, fc.integer({ min: 10, max: 120 }), (parts, charsMax) => {
        const whole = parts.join('')
        const chunks = chunksOf(whole, charsMax)
        expect(solid(chunks.join(''))).toBe(solid(whole))
        expect(chunks.every((chunk) => chunk.length <= charsMax && chunk.trim() !== '')).toBe(true)
      }),
    )
  })

  it('K2: end at headings before paragraphs, and at paragraphs before sentences', () => {
    const text = '## Refunds\n\nWithin five days. In full.\n\n## Cards\n\nFrozen in the app. Posted in two days.'
    expect(chunksOf(text, 50)).toEqual(['## Refunds\n\nWithin five days. In full.', '## Cards\n\nFrozen in the app. Posted in two days.'])
    expect(chunksOf('One sentence here. Another one there.', 20)).toEqual(['One sentence here.', 'Another one there.'])
  })

  it('a short text is one chunk, and white space none', () => {
    expect(chunksOf('short')).toEqual(['short'])
    expect(chunksOf(' \n\n ')).toEqual([])
  })
})
