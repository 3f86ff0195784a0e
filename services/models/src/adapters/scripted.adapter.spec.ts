import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { costMicroUsd, type Tokens } from '@baton/policy/routing'
import { describe, expect, it } from '@jest/globals'
import { createCatalogue, ModelsFile } from '../catalogue/catalogue.ts'
import { readScript } from '../catalogue/script-file.ts'
import type { Answer, Question } from '../model.ts'
import { Script } from './script.ts'
import { scriptedModel } from './scripted.adapter.ts'

const cost = (tokens: Tokens): number => costMicroUsd({ input: 1, output: 2 }, tokens)
const question = (change: Partial<Question> = {}): Question => ({
  prompt: 'What is a refund?',
  input: { text: 'refund', kind: 'money', n: 2 },
  signal: AbortSignal.timeout(5_000),
  ...change,
})
const ask = (answers: readonly unknown[], change: Partial<Question> = {}): Promise<Answer> =>
  scriptedModel('reader', { script: Script.parse({ answers }), cost }).invoke(question(change))
const turn = (n: number, more: object = {}): Partial<Question> => ({
  occasion: { step: 'desk', agent: 'clerk', turn: n, use: 'turn', try: 1, ...more },
})
const wrong = (answer: unknown): string => Script.safeParse({ answers: [answer] }).error?.issues[0]?.message ?? 'nothing'

describe('a scripted model (B1)', () => {
  it('Y1: gives the first answer that fits, and says where it has none', async () => {
    const answers = [
      { when: { turn: 1 }, text: 'first' },
      { when: { turn: { from: 3 } }, text: 'late' },
      { when: { agent: 'clerk', turn: 2 }, text: 'then' },
    ]
    const said = await Promise.all([1, 2, 3, 9].map((n) => ask(answers, turn(n))))
    expect(said).toMatchObject([{ text: 'first' }, { text: 'then' }, { text: 'late' }, { text: 'late' }])
    await expect(ask([{ when: { model: 'other' }, text: 'x' }], turn(4))).rejects.toMatchObject({
      code: 'model.refused',
      message: 'The script of reader has no answer for desk, clerk, turn 4.',
    })
  })

  it.each([
    ['step', { step: 'desk' }, turn(1)],
    ['use', { use: 'check' }, turn(1, { use: 'check' })],
    ['try', { try: 2 }, turn(1, { try: 2 })],
    ['again', { again: true }, { feedback: 'no JSON' }],
    ['contains', { contains: 'REFUND' }, {}],
    ['matches', { matches: '(?i)^what.*\\?$' }, {}],
    ['input', { input: { kind: 'money' } }, {}],
    ['offered', { offered: 'web/search' }, { tools: [{ name: 'web/search', schema: {} }] }],
    ['the last message', { contains: 'no light' }, { conversation: [{ role: 'user', text: 'There is no light.' }] }],
  ] as const)('chooses by %s', async (_what, when, asked) => {
    const answers = [{ when, text: 'this' }, { text: 'other' }]
    expect(await ask(answers, asked)).toMatchObject({ text: 'this' })
    expect(await ask(answers, { prompt: 'Bye', input: {} })).toMatchObject({ text: 'other' })
  })

  it('S2: costs what its tokens cost', async () => {
    expect(await ask([{ answer: { n: 1 }, tokens: [100, 50] }])).toMatchObject({
      value: { n: 1 },
      usage: { inputTokens: 100, outputTokens: 50, costMicroUsd: 200 },
    })
    expect((await ask([{ text: 'x'.repeat(40) }])).usage).toEqual({ inputTokens: 5, outputTokens: 10, costMicroUsd: 25 })
  })

  it('calls tools, right or wrong', async () => {
    const calls = [
      { tool: 'web/search', arguments: { q: 'about {{ input.text }}', n: '{{ input.n }}' } },
      { id: 'x', tool: 'web/fetch', arguments: '{broken' },
    ]
    expect(await ask([{ text: 'Looking.', calls }])).toMatchObject({
      text: 'Looking.',
      calls: [
        { tool: 'web/search', arguments: '{"q":"about refund","n":2}' },
        { id: 'x', tool: 'web/fetch', arguments: '{broken' },
      ],
    })
  })

  it('Z1: fills slots with what it was given and what its calls gave', async () => {
    const conversation: Question['conversation'] = [
      { role: 'tool', id: 'old', tool: 't', text: '"old"', failed: false },
      { role: 'assistant', text: '', calls: [] },
      { role: 'tool', id: 'a', tool: 't', text: '{"hits":[{"url":"u1"}]}', failed: false },
      { role: 'tool', id: 'b', tool: 't', text: 'plain', failed: false },
    ]
    const answer = {
      url: '{{results.0.hits.0.url}}',
      all: '{{ results }}',
      text: 'Said: {{ result }}{{ input.none }}',
      none: '{{ input.none }}',
    }
    expect(await ask([{ answer }], { conversation })).toMatchObject({
      value: { url: 'u1', all: [{ hits: [{ url: 'u1' }] }, 'plain'], text: 'Said: plain', none: null },
    })
  })

  it('fails and hangs as it is told', async () => {
    await expect(ask([{ fault: { code: 'model.rate_limited', retryAfterMs: 50 } }])).rejects.toMatchObject({
      code: 'model.rate_limited',
      detail: { model: 'reader', retryAfterMs: 50 },
    })
    await expect(ask([{ text: 'late', delayMs: 60_000 }], { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it('S1: says the same to the same question', async () => {
    const answers = [{ when: { contains: 'refund' }, answer: { text: '{{ last }}' }, delayMs: 1 }]
    expect(await ask(answers)).toEqual(await ask(answers))
  })
})

describe('a script', () => {
  it('Y2: is refused with what is wrong in it, patterns that RE2 does not take too', () => {
    expect(wrong({ when: {} })).toContain('needs one of answer, text, calls or fault')
    expect(wrong({ text: 'a', answer: 1 })).toContain('needs one of')
    expect(wrong({ text: 'a', when: { matches: '(?=x)' } })).toBe('is no RE2 pattern')
    expect(wrong({ text: 'a', when: { colour: 'red' } })).toContain('colour')
    expect(wrong({ fault: { code: 'tool.failed' } })).toContain('must be one of model.')
    expect(wrong({ text: 'a', calls: [{ tool: 't' }] })).toBe('nothing')
  })

  it('is YAML, or JSON lines; a catalogue takes it from the flows folder', async () => {
    const flowsDir = await mkdtemp(join(tmpdir(), 'baton-script-'))
    await writeFile(join(flowsDir, 'a.yaml'), 'answers:\n  - text: hello\n')
    await writeFile(join(flowsDir, 'b.jsonl'), '{"when":{"turn":1},"text":"one"}\n\n{"text":"two"}\n')
    await writeFile(join(flowsDir, 'c.jsonl'), '{"text":"one"}\n{oops\n')
    await writeFile(join(flowsDir, 'd.jsonl'), '{"text":"one"}\n{"say":"two"}\n')
    expect((await readScript(join(flowsDir, 'b.jsonl'))).answers.map(({ text }) => text)).toEqual(['one', 'two'])
    await expect(readScript(join(flowsDir, 'c.jsonl'))).rejects.toMatchObject({ code: 'config.invalid', detail: { line: 2 } })
    await expect(readScript(join(flowsDir, 'd.jsonl'))).rejects.toMatchObject({ message: expect.stringContaining('answers[1]') })
    const file = ModelsFile.parse({
      models: { told: { provider: 'scripted', script: 'a.yaml' }, gone: { provider: 'scripted', script: 'none.yaml' } },
    })
    const catalogue = await createCatalogue(file, { flowsDir, nowMs: () => 0 })
    expect(catalogue.list()).toMatchObject([
      { name: 'told', local: false, configured: true },
      { name: 'gone', configured: false },
    ])
    expect(catalogue.spends(['told'])).toBe(true)
    expect(await catalogue.resolve(['told'])[0]?.invoke(question())).toMatchObject({ text: 'hello', usage: { costMicroUsd: 0 } })
    await rm(flowsDir, { recursive: true })
  })
})
