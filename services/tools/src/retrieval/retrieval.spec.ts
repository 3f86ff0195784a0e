import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { passagesOf } from './chunk.policy.ts'
import { normalised } from './embedder.ts'
import { localEmbedders } from './embedding.adapter.ts'
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

describe('embedding models of this machine', () => {
  it('M1: a model that is not there is told, not downloaded', async () => {
    const embedders = localEmbedders(join(tmpdir(), 'no-models-here'))
    await expect(embedders('minilm')).rejects.toMatchObject({ code: 'index.embedder_missing' })
    await expect(embedders('../../etc')).rejects.toThrow(/no name of a model/)
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
