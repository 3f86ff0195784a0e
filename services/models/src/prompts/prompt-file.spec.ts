import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Model } from '../model.ts'
import { askPromptTest } from './ask-prompt-test.ts'
import { diffLines, promptBreaks } from './prompt-diff.policy.ts'
import { checkPromptTest, findPromptFiles, type PromptFile, readPromptFile } from './prompt-file.ts'

const FIRST = `---
system: You classify.
variables:
  text: { type: string, from: outside }
returns: intent@1
tests:
  - { name: asks, with: { text: Money back }, contains: [Money back, data from outside], lacks: ['{{'], expect: { intent: refund } }
  - { name: wants text, with: { text: 7 } }
  - { name: says too much, with: { text: secret }, lacks: [secret] }
---

What is it about? {{ text }}
`

describe('prompt files (B14)', () => {
  let folder: string
  let first: PromptFile
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'baton-prompts-'))
    await mkdir(join(folder, 'desk', 'prompts'), { recursive: true })
    await writeFile(join(folder, 'desk', 'prompts', 'intent@1.md'), FIRST)
    await writeFile(join(folder, 'desk', 'prompts', 'intent@2.md'), FIRST.replace('  text:', '  body:').replace('{{ text }}', '{{ body }}'))
    await writeFile(join(folder, 'desk', 'prompts', 'broken@1.md'), '---\nvariables: { a: string }\n---\n{{ b }}')
    await writeFile(join(folder, 'desk', 'notes.md'), 'no prompt')
    first = await readPromptFile(join(folder, 'desk', 'prompts', 'intent@1.md'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('are found by name and version, with what they take', async () => {
    expect((await findPromptFiles(folder)).map((path) => path.split(/[\\/]/).at(-1))).toEqual(['broken@1.md', 'intent@1.md', 'intent@2.md'])
    expect(first).toMatchObject({ name: 'intent@1', variables: { text: { type: 'string', outside: true } }, returns: 'intent@1' })
  })

  it('tell a mistake by its line', async () => {
    await expect(readPromptFile(join(folder, 'desk', 'prompts', 'broken@1.md'))).rejects.toMatchObject({
      code: 'flow.invalid',
      message: expect.stringMatching(/broken@1\.md: line 4.*"b"/),
    })
  })

  it('Q2: are tested without a model: what is filled, and of which type', () => {
    expect(first.tests.map((test) => checkPromptTest(first, test).problems)).toEqual([[], ['text is no string'], ['it says "secret"']])
  })

  it('Q2: are tested with a model: the fields of its answer', async () => {
    const [test] = first.tests
    if (test === undefined) throw new Error('no test')
    const model = (intent: string): Model => ({
      name: 'm',
      provider: 'scripted',
      local: true,
      invoke: async () => ({ text: JSON.stringify({ intent }), usage: { costMicroUsd: 0 } }),
    })
    const filled = checkPromptTest(first, test)
    expect(await askPromptTest(model('refund'), filled, test)).toEqual([])
    expect(await askPromptTest(model('other'), filled, test)).toEqual(['intent is "other", not "refund"'])
  })

  it('Q1: versions are compared: lines, and what steps have to do', async () => {
    const second = await readPromptFile(join(folder, 'desk', 'prompts', 'intent@2.md'))
    expect(promptBreaks(first, second)).toEqual(['steps have to give body', 'text is not taken any more'])
    expect(diffLines(first.text, second.text).filter(({ sign }) => sign !== ' ')).toEqual([
      { sign: '-', text: '  text: { type: string, from: outside }' },
      { sign: '+', text: '  body: { type: string, from: outside }' },
      { sign: '-', text: 'What is it about? {{ text }}' },
      { sign: '+', text: 'What is it about? {{ body }}' },
    ])
    expect(diffLines('a\nb', 'a\nb').every(({ sign }) => sign === ' ')).toBe(true)
  })
})
