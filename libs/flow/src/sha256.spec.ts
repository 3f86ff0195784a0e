import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { sha256 } from './sha256.ts'

const ofNode = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('sha256', () => {
  it('H1: is that of node:crypto for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => sha256(text) === ofNode(text)))
  })

  it('H1: is that of node:crypto at every length around a block, and for a long text', () => {
    for (let length = 0; length <= 200; length += 1) expect(sha256('é'.repeat(length))).toBe(ofNode('é'.repeat(length)))
    for (let length = 0; length <= 200; length += 1) expect(sha256('a'.repeat(length))).toBe(ofNode('a'.repeat(length)))
    const long = JSON.stringify(Array.from({ length: 50_000 }, (_, n) => n))
    expect(sha256(long)).toBe(ofNode(long))
  })
})
