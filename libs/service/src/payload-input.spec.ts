import { describe, expect, it } from '@jest/globals'
import { Fault, sha256 } from '@baton/contracts'
import type { PayloadStore } from '@baton/store'
import { mentionsPayload, resolveMedia, resolvePayloads, smallFields } from './payload-input.ts'

/** The port over a map: what a payload store is, without the database. */
const payloadsOf = (...contents: readonly unknown[]): PayloadStore & { readonly reads: string[] } => {
  const stored = new Map(contents.map((content) => [sha256(JSON.stringify(content)), Buffer.from(JSON.stringify(content))]))
  const reads: string[] = []
  return {
    reads,
    put: () => Promise.reject(new Error('nothing is stored here')),
    get: ({ sha256: hash }) => {
      reads.push(hash)
      const content = stored.get(hash)
      return content === undefined
        ? Promise.reject(new Fault('payload.missing', hash))
        : Promise.resolve({ content, mediaType: 'application/json' })
    },
  }
}

const document = { title: 'Fees', pages: [{ text: 'one' }, { text: 'two' }] }
const hash = sha256(JSON.stringify(document))

describe('values in the payload store', () => {
  it('stand in the input as their content, whole or in part, read once', async () => {
    const payloads = payloadsOf(document)
    const input = {
      a: { $payload: { sha256: hash, sizeBytes: 1, mediaType: 'application/json' }, at: ['pages', '1', 'text'] },
      b: [{ $payload: hash, at: 'title' }],
      c: { $payload: hash },
      d: 1,
    }
    expect(await resolvePayloads(payloads, 'default', input)).toEqual({ a: 'two', b: ['Fees'], c: document, d: 1 })
    expect(payloads.reads).toEqual([hash])
  })
  it('fault with payload.missing when they or their field are not there', async () => {
    await expect(resolvePayloads(payloadsOf(), 'default', { $payload: hash })).rejects.toMatchObject({ code: 'payload.missing' })
    await expect(resolvePayloads(payloadsOf(document), 'default', { $payload: hash, at: ['nothing'] })).rejects.toMatchObject({
      code: 'payload.missing',
    })
  })
  it('are noticed in the bytes of a command', () => {
    expect(mentionsPayload(Buffer.from(JSON.stringify({ input: { $payload: hash } })))).toBe(true)
    expect(mentionsPayload(Buffer.from(JSON.stringify({ input: 'payload' })))).toBe(false)
  })
  it('leave their small fields inline', () => {
    expect(smallFields({ intent: 'refund', text: 'x'.repeat(5_000), n: 1 })).toEqual({ intent: 'refund', n: 1 })
    expect(smallFields('x'.repeat(5_000))).toEqual({})
  })
})

describe('media by reference', () => {
  it('stand in media as their bytes; addresses and bytes that are there already stay', async () => {
    const kept = Buffer.from('bytes of a picture')
    const store = { get: () => Promise.resolve({ content: kept, mediaType: 'image/png' }) }
    const stays = [{ ref: 'https://example.org/a.png' }, { mediaType: 'image/png', base64: 'AAAA' }, 'data:image/png;base64,AAAA', null]
    expect(await resolveMedia(store, 'default', [{ ref: 'a'.repeat(64), mediaType: 'image/gif' }, ...stays])).toEqual([
      { mediaType: 'image/png', base64: kept.toString('base64') },
      ...stays,
    ])
  })
  it('fault with payload.missing when nothing is kept there for the tenant', async () => {
    await expect(resolveMedia(payloadsOf(), 'default', [{ ref: 'b'.repeat(64) }])).rejects.toMatchObject({ code: 'payload.missing' })
  })
})
