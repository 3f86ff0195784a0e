import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import type { PayloadRef } from '@baton/contracts'
import type { Platform } from '@baton/service'
import { createPayloadCache } from './payload-cache.ts'
import { type Message, writePiece } from './piece.ts'
import { CHAIN_BYTES_MAX, createTranscripts, PIECES_MAX } from './transcript.ts'

type Payloads = Platform['stores']['payloads']

/** A payload store in memory that counts its reads. */
const memory = (): Payloads & { reads: number; readonly sizes: () => readonly number[] } => {
  const kept = new Map<string, Buffer>()
  const store = {
    reads: 0,
    sizes: () => [...kept.values()].map(({ length }) => length),
    put: ({ tenant, content, mediaType }: Parameters<Payloads['put']>[0]) => {
      const sha256 = createHash('sha256').update(content).digest('hex')
      kept.set(`${tenant}/${sha256}`, content)
      return Promise.resolve({ sha256, sizeBytes: content.length, mediaType })
    },
    get: ({ tenant, sha256 }: Parameters<Payloads['get']>[0]) => {
      store.reads += 1
      const content = kept.get(`${tenant}/${sha256}`)
      return content === undefined
        ? Promise.reject(new Fault('payload.missing', 'not here'))
        : Promise.resolve({ content, mediaType: 'application/json' })
    },
  }
  return store
}

const user = (text: string): Message => ({ role: 'user', text })
const talk = async (store: Payloads, texts: readonly string[]): Promise<PayloadRef | undefined> => {
  const transcripts = createTranscripts(createPayloadCache(store))
  let newest: PayloadRef | undefined
  for (const text of texts) newest = await transcripts.add('a', { previous: newest ?? null, messages: [user(text)] })
  return newest
}
const fresh = (store: Payloads) => createTranscripts(createPayloadCache(store))

describe('the conversation of an agent (A7)', () => {
  it('P1: is read as it was said, and each piece has only its own messages', async () => {
    const store = memory()
    const texts = ['one', 'two', 'three'].map((text) => text.repeat(1_000))
    const newest = await talk(store, texts)
    expect(await fresh(store).load('a', newest)).toEqual(texts.map(user))
    expect(Math.max(...store.sizes())).toBeLessThan(6_000)
    expect(await fresh(store).load('a', undefined)).toEqual([])
  })

  it('M1: a process that wrote it reads nothing again', async () => {
    const store = memory()
    const transcripts = fresh(store)
    const first = await transcripts.add('a', { previous: null, messages: [user('one')] })
    const second = await transcripts.add('a', { previous: first, messages: [user('two')] })
    await transcripts.load('a', second)
    expect(store.reads).toBe(0)
  })

  it('M1: keeps no more than its bytes', async () => {
    const store = memory()
    const cache = createPayloadCache(store, 100)
    const refs = [await cache.put('a', 'x'.repeat(60)), await cache.put('a', 'y'.repeat(60))]
    for (const { sha256 } of refs) await cache.get('a', sha256)
    expect(store.reads).toBe(2)
    await cache.get('a', refs[1]?.sha256 ?? '')
    expect(store.reads).toBe(2)
  })

  it('M2: of one tenant is not read by another', async () => {
    const store = memory()
    const cache = createPayloadCache(store)
    const { sha256 } = await cache.put('a', 'secret')
    await expect(cache.get('b', sha256)).rejects.toMatchObject({ code: 'payload.missing' })
  })

  it('T1: too many turns or bytes are a limit', async () => {
    const store = memory()
    const many = await talk(
      store,
      Array.from({ length: PIECES_MAX + 1 }, (_, n) => `${n}`),
    )
    await expect(fresh(store).load('a', many)).rejects.toMatchObject({ code: 'limit.turns_exceeded' })
    const large = await talk(
      store,
      ['a', 'b', 'c'].map((text) => text.repeat(CHAIN_BYTES_MAX / 2)),
    )
    await expect(fresh(store).load('a', large)).rejects.toMatchObject({ code: 'limit.tokens_exceeded' })
  })

  it('P2: what tools gave by reference is kept as that, and read once', async () => {
    const store = memory()
    const ref = await store.put({ tenant: 'a', content: Buffer.from('{"n":1}'), mediaType: 'application/json' })
    const given: Message = { role: 'tool', result: { id: 'c', tool: 't', outputRef: ref } }
    expect([...(await fresh(store).outputs('a', [given, given, user('x')]))]).toEqual([[ref.sha256, { n: 1 }]])
    expect(store.reads).toBe(1)
  })

  it('something else behind the reference is no conversation', async () => {
    const store = memory()
    const ref = await store.put({ tenant: 'a', content: Buffer.from('{"n":1}'), mediaType: 'application/json' })
    await expect(fresh(store).load('a', ref)).rejects.toMatchObject({ code: 'payload.missing' })
    expect(writePiece({ previous: null, messages: [] })).toEqual({ previous: null, messages: [] })
  })
})
