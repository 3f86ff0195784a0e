import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import type { ServiceCall } from '@baton/service'
import { passagesOf } from './chunk.policy.ts'
import { normalised } from './embedder.ts'
import { serviceEmbedders } from './embedding.adapter.ts'
import { passagesOfAnswer } from './external/answer.policy.ts'
import { toolRetriever } from './external/tool-retriever.ts'
import { bestOfEach, fuse } from './fusion.policy.ts'
import { relevanceOf } from './relevance.policy.ts'
import { sentencesOf, windowsOf, WINDOWS_MAX } from './request.policy.ts'
import { defineTool, type Tool, type ToolContext } from '../tool.ts'

describe('a request as several questions (C7)', () => {
  it('Q1: sentences for words, windows of three for meaning, and none is lost', () => {
    const sentences = sentencesOf('My card is lost. Yes.\nWhat does a new one cost? When does it come? I fly on Monday. Can it go to Oslo?')
    expect(sentences).toEqual([
      'My card is lost. Yes.',
      'What does a new one cost?',
      'When does it come?',
      'I fly on Monday.',
      'Can it go to Oslo?',
    ])
    expect(windowsOf(sentences).map((window) => window.split('. ').length)).toHaveLength(2)
    expect(windowsOf(sentences).join(' ')).toContain('Oslo')
  })

  it('Q2: one sentence is one question; Q3: there are limits', () => {
    expect(windowsOf(sentencesOf('lost card'))).toEqual(['lost card'])
    expect(sentencesOf('   ')).toEqual([''])
    expect(windowsOf(sentencesOf('A sentence of some words here. '.repeat(2_000))).length).toBeLessThanOrEqual(WINDOWS_MAX)
  })
})

describe('orders put together', () => {
  it('R1: whoever is far up in several lists wins; R2: the same lists give the same order', () => {
    const lists = [
      { ids: ['a', 'b', 'c'], weight: 1 },
      { ids: ['c', 'b', 'd'], weight: 1 },
    ]
    expect(fuse(lists).map(({ id }) => id)).toEqual(['c', 'b', 'a', 'd'])
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), (ids) => {
        expect(fuse([{ ids, weight: 1 }]).map(({ id }) => id)).toEqual(ids)
      }),
    )
  })

  it('one chunk a document, the best one, in one order whatever the order they came in', () => {
    const scored = [
      { documentId: 'a', chunkId: '1', points: 0.1, cosine: 0.4 },
      { documentId: 'a', chunkId: '2', points: 0.3, cosine: 0.5 },
      { documentId: 'b', chunkId: '3', points: 0.3, cosine: 0.5 },
    ]
    const expected = [scored[1], scored[2]]
    expect(bestOfEach(scored, 5)).toEqual(expected)
    expect(bestOfEach(scored.toReversed(), 5)).toEqual(expected)
  })

  it('S1: the score rises with its reason, and lies between 0 and 1', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(unit, unit, (one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one]
        for (const reasons of [(x: number) => ({ share: x, cosine: undefined }), (x: number) => ({ share: 0, cosine: x })]) {
          expect(relevanceOf(reasons(low))).toBeLessThanOrEqual(relevanceOf(reasons(high)))
          expect(relevanceOf(reasons(high))).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})

describe('chunks', () => {
  it('K3: know the headings above them and the end of what is before', () => {
    const text = `# Cards\n\n${'Freeze it in the app. '.repeat(8)}\n\n## Fees\n\nThere is no fee. It is free.\n\n## Time\n\nTwo days.`
    const chunks = passagesOf(text, 200, 60)
    expect(chunks.at(-1)).toMatchObject({ heading: expect.stringMatching(/^Cards/) as unknown as string })
    expect(chunks[0]).toMatchObject({ heading: '', before: '' })
    expect(chunks.slice(1).every(({ before }) => before.length > 0 && before.length <= 60)).toBe(true)
  })
})

describe('embeddings of the models service', () => {
  type Asked = { readonly model: string; readonly texts: readonly string[] }
  type Said = { readonly status?: number; readonly body: unknown }
  const whole = ({ texts }: Asked): Said => ({ body: { dimensions: 2, vectors: texts.map((text) => [text.length, 0]) } })

  /** Another process that answers so, and what it was asked. */
  const opened = (answer: (asked: Asked) => Said | Promise<Said>, timeoutMs?: number) => {
    const asked: Asked[] = []
    const call: ServiceCall = async ({ service, method, path, body = '' }) => {
      expect([service, method, path]).toEqual(['models', 'POST', '/v1/models/embeddings'])
      asked.push(JSON.parse(body) as Asked) // as the adapter writes it
      const { status = 200, body: said } = await answer(JSON.parse(body) as Asked)
      return { status, body: typeof said === 'string' ? said : JSON.stringify(said), contentType: 'application/json' }
    }
    return { asked, embedders: serviceEmbedders(call, timeoutMs === undefined ? {} : { timeoutMs }) }
  }

  it('M1: by name, in batches, and the length of the vectors is asked for once', async () => {
    const { asked, embedders } = opened(whole)
    const embedder = await embedders('minilm')
    expect(embedder).toMatchObject({ name: 'minilm', dimensions: 2 })
    const texts = Array.from({ length: 70 }, (_, at) => 'x'.repeat(at === 0 ? 100_000 : at))
    expect((await embedder.embed(texts)).map((vector) => [...vector])).toEqual(texts.map(() => [1, 0])) // E1: norm 1
    await embedders('minilm')
    expect(asked.map(({ texts: sent }) => sent.length)).toEqual([0, 32, 32, 6])
    expect(new Set(asked.map(({ model }) => model))).toEqual(new Set(['minilm']))
    expect(asked[1]?.texts[0]).toHaveLength(4_000)
  })

  it('M1: a service that hangs, breaks or says something else is bus.unavailable; a signal ends the wait', async () => {
    const hangs = (): Promise<Said> => new Promise(() => undefined)
    await expect(opened(hangs, 20).embedders('minilm')).rejects.toMatchObject({ code: 'bus.unavailable' })
    for (const said of [{ status: 502, body: '<html>' }, { body: 'no JSON' }, { body: { dimensions: 2, vectors: [[1, 2]] } }])
      await expect(opened(() => said).embedders('minilm')).rejects.toMatchObject({ code: 'bus.unavailable' })
    const { embedders } = opened((asked) => (asked.texts.length === 0 ? whole(asked) : hangs()))
    const embedder = await embedders('minilm')
    await expect(embedder.embed(['a'], { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect(embedder.embed(['a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('M2: a model that cannot be used there is index.embedder_missing with the reason, and is asked for again', async () => {
    let installed = false
    const { embedders } = opened((asked) =>
      installed ? whole(asked) : { status: 422, body: { code: 'index.embedder_missing', detail: 'baton models pull minilm' } },
    )
    await expect(embedders('minilm')).rejects.toMatchObject({ code: 'index.embedder_missing', message: 'baton models pull minilm' })
    installed = true
    expect(await embedders('minilm')).toMatchObject({ dimensions: 2 })
    await expect(opened(() => ({ status: 422, body: { code: 'model.unknown' } })).embedders('x')).rejects.toMatchObject({
      code: 'index.embedder_missing',
    })
    await expect(opened(() => ({ status: 429, body: { code: 'model.rate_limited' } })).embedders('x')).rejects.toMatchObject({
      code: 'model.rate_limited',
    })
  })

  it('M3: a name that suddenly means vectors of another length is never mixed with what was', async () => {
    let dimensions = 2
    const { embedders } = opened(({ texts }) => ({ body: { dimensions, vectors: texts.map(() => Array(dimensions).fill(1)) } }))
    const embedder = await embedders('minilm')
    dimensions = 3
    await expect(embedder.embed(['a'])).rejects.toMatchObject({ code: 'index.embedder_missing' })
    expect(await embedders('minilm')).toMatchObject({ dimensions: 3 })
  })

  it('E1: vectors have norm 1', () => {
    expect([...normalised([3, 4])].map((value) => Math.round(value * 10) / 10)).toEqual([0.6, 0.8])
    expect([...normalised([0, 0])]).toEqual([0, 0])
  })
})

describe('retrievers of others (C7)', () => {
  const fields = {}

  it('X1: their order is kept, and a score of unknown meaning is none', () => {
    const answer = {
      total: 2,
      hits: [
        { url: 'u1', name: 'One', snippet: 'first', score: 12.5 },
        { url: 'u2', snippet: 'second', relevance: 0.7 },
      ],
    }
    expect(passagesOfAnswer(answer, { items: undefined, fields }, 5)).toMatchObject([
      { id: 'u1', title: 'One', text: 'first', score: 0, rank: 1, source: 'u1' },
      { id: 'u2', title: 'u2', text: 'second', score: 0.7, rank: 2 },
    ])
  })

  it('X2: what has no text is no passage; texts of JSON, as MCP servers send them, are opened', () => {
    expect(passagesOfAnswer('[{"text":"a"},{"id":"x"},{"text":" "}]', { items: undefined, fields }, 5)).toMatchObject([{ text: 'a' }])
    expect(
      passagesOfAnswer({ data: { rows: [{ body: { md: 'deep' } }] } }, { items: 'data.rows', fields: { text: 'body.md' } }, 5),
    ).toMatchObject([{ text: 'deep' }])
    expect(passagesOfAnswer('plain words', { items: undefined, fields }, 5)).toMatchObject([{ text: 'plain words' }])
    expect(passagesOfAnswer(null, { items: undefined, fields }, 5)).toEqual([])
  })

  const wiki = (effect: Tool['effect']): Tool =>
    defineTool({
      name: 'wiki/search',
      effect,
      outbound: true,
      input: z.strictObject({ q: z.string(), limit: z.number(), lang: z.string() }),
      output: z.json(),
      timeoutMs: 1_000,
      run: ({ q, limit, lang }) => ({ results: [{ title: `${q} ${lang}`, text: `up to ${limit}` }] }),
    })
  const retriever = { index: 'wiki', tool: 'wiki/search', query: 'q', top: 'limit', filter: null, arguments: { lang: 'en' }, fields: {} }
  const registry = (effect: Tool['effect']) => ({ find: async () => wiki(effect), list: async () => [] })

  it('a tool without effect stands for an index, with its own names of arguments; O2: what it says is from outside', async () => {
    const tool = await toolRetriever(registry('read'), retriever)
    expect([tool.name, tool.outside, tool.outbound]).toEqual(['index:wiki', true, true])
    const found = await tool.run({ query: 'cards', top: 3 }, {} as ToolContext) // this tool looks at nothing of it
    expect(found).toMatchObject({ items: [{ title: 'cards en', text: 'up to 3', rank: 1 }], score: 0 })
  })

  it('O1: a tool with effects does not', async () => {
    await expect(toolRetriever(registry('write'), retriever)).rejects.toMatchObject({ code: 'config.invalid' })
  })
})
