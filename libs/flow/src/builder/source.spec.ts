import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Json, JsonObject } from '@baton/contracts/json'
import { parse } from 'yaml'
import { compileFlow } from '../compile.ts'
import { SAMPLE_FILES } from '../testing/samples.ts'
import * as builder from './index.ts'
import { compileData } from './compile-data.ts'
import { toBuilderSource } from './source.ts'

const root = join(import.meta.dirname, '../../../..')

/** Runs a generated module and gives its default export. */
const runSource = (source: string): builder.Flow<unknown, unknown> => {
  const body = stripTypeScriptTypes(source)
    .replace(/^import \{([^}]*)\} from 'baton'/, 'const {$1} = builder')
    .replace('export default', 'return')
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the text that is to be proved is run, with the builder itself
  return new Function('builder', body)(builder) as builder.Flow<unknown, unknown>
}

const textsUnder = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ya?ml|json|md)$/.test(path))
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')] as const),
  )
type Case = readonly [name: string, folder: string, entry: string]
const casesUnder = (top: string): readonly Case[] => {
  const path = join(root, top)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(^|\/)flow\.ya?ml$/.test(file) || (top.startsWith('test') && /^[^/]+\.ya?ml$/.test(file)))
    .map((file) => [relative(root, join(path, file)), dirname(join(path, file)), file.slice(file.lastIndexOf('/') + 1)] as const)
}

/** The plan's hash, or the codes of what is wrong. */
const outcomeOf = (result: ReturnType<typeof compileData>): Json =>
  result.ok ? result.plan.hash : result.diagnostics.map(({ code }) => code)
/** Of the flow as data, of what its generated source gives, and of its file. */
const outcomes = (files: ReadonlyMap<string, string>, entry: string) => {
  const data = parse(files.get(entry) ?? '') as JsonObject // every case is a flow
  const direct = compileData(data, { files })
  const written = runSource(toBuilderSource(data))
  // A flow without a name is called by its file.
  const fromFile = data['flow'] === undefined ? direct : compileFlow({ files, entry })
  return { data, written: written.data, hashes: [direct, fromFile, written.compile({ files })].map(outcomeOf) }
}

describe('the source of a flow', () => {
  const samples = new Map([...SAMPLE_FILES].map(([path, content]) => [path.replace('support/', ''), content]))
  it.each([
    ['the chain', 'chain.yaml'],
    ['the support flow', 'flow.yaml'],
  ])('T1: runs to the same plan: %s', (_name, entry) => {
    const { hashes } = outcomes(samples, entry)
    expect(hashes).toEqual(Array(3).fill(expect.stringMatching(/^[0-9a-f]{64}$/)))
    expect(new Set(hashes).size).toBe(1)
  })

  const cases = [...casesUnder('flows'), ...casesUnder('test/flows/right')]
  it.each(cases)('T1, F1: runs to the same data and the same plan: %s', (_name, folder, entry) => {
    const { data, written, hashes } = outcomes(textsUnder(folder), entry)
    const [first] = hashes
    expect(written).toEqual(data)
    expect(hashes).toEqual([first, first, first])
  })

  it('T2: uses the functions of the builder wherever there is one', () => {
    const raw = cases.filter(([, folder, entry]) =>
      /\braw\(/.test(toBuilderSource(parse(readFileSync(join(folder, entry), 'utf8')) as JsonObject)),
    )
    expect(raw.map(([name]) => name)).toEqual([])
  })

  it('reads as one would write it', () => {
    expect(toBuilderSource(parse(SAMPLE) as JsonObject)).toBe(WRITTEN)
  })
})

const SAMPLE = `flow: demo/desk@1.0.0
params: { send: { type: number, default: 0.8 } }
input: { text: string }
steps:
  - topic:
      prompt: What is this about? {{ text }}
      with: { text: =input.text }
      returns: { about: card | refund, confidence: 0..1 }
      gate:
        - { when: it.confidence >= params.send, then: next }
        - { else: { human: desk, with: { draft: =it.about } } }
  - desk:
      switch: =topic.about
      cases:
        card: { tool: demo/desk, with: { desk: cards } }
        refund: { do: [{ ticket: { tool: demo/ticket } }, { told: { prompt: 'Tell {{ ticket }}' } }] }
output: { about: =topic.about, long: =size(input.text) > 10 }
`
const WRITTEN = `import { block, cel, flow, gte, human, model, switchOn, tool } from 'baton'

export default flow('demo/desk@1.0.0')
  .params({ send: { type: 'number', default: 0.8 } })
  .input({ text: 'string' })
  .step('topic', ({ input, params }) => model({
    prompt: 'What is this about? {{ text }}',
    with: { text: input.text },
    returns: { about: 'card | refund', confidence: '0..1' },
    gate: ({ it }) => [{ when: gte(it.confidence, params.send), then: 'next' }, { else: human('desk', { with: { draft: it.about } }) }],
  }))
  .step('desk', ({ topic }) => switchOn(topic.about, {
    card: tool('demo/desk', { with: { desk: 'cards' } }),
    refund: block((b) => b.step('ticket', tool('demo/ticket')).step('told', model({ prompt: 'Tell {{ ticket }}' }))),
  }))
  .output(({ topic }) => ({ about: topic.about, long: cel('size(input.text) > 10') }))
`
