import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { isJsonObject, type JsonObject } from '@baton/contracts/json'
import { parse } from 'yaml'
import { compileFlow } from '../compile.ts'
import { CHAIN, SAMPLE_FILES, SUPPORT } from '../testing/samples.ts'
import * as builder from './index.ts'
import { compileData } from './data.ts'
import { toBuilderSource } from './source.ts'

const root = join(import.meta.dirname, '../../../..')

/** Runs a generated module and gives its default export. */
const runSource = (source: string): builder.Flow<unknown, unknown> => {
  const body = stripTypeScriptTypes(source)
    .replace(/^import \{([^}]*)\} from '@baton\/flow\/builder'/, 'const {$1} = builder')
    .replace('export default', 'return')
  // oxlint-disable-next-line no-new-func -- the text that is to be proved is run, with the builder itself
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

/** A compiled plan's hash, and what a run of the generated source compiles to. Same file name: a flow without a name is called by it. */
const bothHashes = (files: ReadonlyMap<string, string>, entry: string, data: JsonObject) => {
  const flow = typeof data['flow'] === 'string' ? data : { flow: 'local/same@0.0.0', ...data }
  const direct = compileData(flow, { files })
  const written = runSource(toBuilderSource(flow)).compile({ files })
  const fromFile = compileFlow({ files, entry })
  return { direct, written, fromFile }
}

describe('the source of a flow', () => {
  it.each([
    ['the chain', CHAIN, 'chain.yaml'],
    ['the support flow', SUPPORT, 'support/flow.yaml'],
  ])('T1: runs to the same plan: %s', (_name, text, entry) => {
    const files = new Map([...SAMPLE_FILES].map(([path, content]) => [path.replace('support/', ''), content]))
    const { direct, written } = bothHashes(files, entry.replace('support/', ''), parse(text) as JsonObject)
    expect(written.ok && written.plan.hash).toBe(direct.ok && direct.plan.hash)
    expect(direct.ok).toBe(true)
  })

  const cases = [...casesUnder('flows'), ...casesUnder('test/flows/right')]
  it.each(cases)('T1, F1: runs to the same plan: %s', (_name, folder, entry) => {
    const files = textsUnder(folder)
    const data: unknown = parse(files.get(entry) ?? '')
    if (!isJsonObject(data as JsonObject)) return
    const { direct, written, fromFile } = bothHashes(files, entry, data as JsonObject)
    expect(runSource(toBuilderSource(data as JsonObject)).data).toEqual(data)
    expect(codes(written)).toEqual(codes(direct))
    if (!fromFile.ok || !direct.ok || !written.ok) return
    expect(written.plan.hash).toBe(direct.plan.hash)
    if ((data as JsonObject)['flow'] !== undefined) expect(written.plan.hash).toBe(fromFile.plan.hash)
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

const codes = (result: ReturnType<typeof compileData>): readonly string[] => result.diagnostics.map(({ code }) => code)

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
const WRITTEN = `import { block, cel, flow, gte, human, model, switchOn, tool } from '@baton/flow/builder'

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
