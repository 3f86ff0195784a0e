import { describe, expect, it } from '@jest/globals'
import { readMedia } from './media.policy.ts'

describe('media of a step', () => {
  it('Z1: content goes as bytes, an address as an address, also where it stands as a reference', () => {
    const bytes = { mediaType: 'image/png', base64: 'AAAA' }
    expect(readMedia([bytes, 'data:image/png;base64,AAAA', { ref: 'data:image/png;base64,AAAA' }])).toEqual([bytes, bytes, bytes])
    expect(readMedia([{ ref: 'https://example.org/a.png' }])).toEqual([{ url: 'https://example.org/a.png', mediaType: 'image/png' }])
  })

  it('Z1: lists are taken item by item, null is nothing', () => {
    expect(readMedia([null, ['data:image/png;base64,AAAA', null]])).toEqual([{ mediaType: 'image/png', base64: 'AAAA' }])
  })

  it('Z2: what cannot be read is refused by its place', () => {
    const read = (): unknown => readMedia(['data:image/png;base64,AAAA', { ref: 'p1' }])
    expect(read).toThrow(
      expect.objectContaining({ code: 'input.invalid', data: expect.objectContaining({ detail: { field: 'media[1]' } }) }),
    )
  })
})
