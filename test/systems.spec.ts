// S1 to S15: the systems of the feature table as flows. Every one is free of mistakes, and can be loaded to run.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { run, type Provider, type RunOptions } from '@baton/client/run'
import type { Json } from '@baton/contracts/json'
import { compileFlow, formatDiagnostic, loadProgram, type CompileResult, type FlowData } from '@baton/flow'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '..', 'flows')

type System = {
  /** Ids of the feature table. */
  readonly ids: string
  readonly folder: string
}

const SYSTEMS: readonly System[] = [
  { ids: 'S1, S2', folder: 'support' },
  { ids: 'S3, S4', folder: 's03-moderation' },
  { ids: 'S4', folder: 's04-images' },
  { ids: 'S5', folder: 's05-three-agents' },
  { ids: 'S6', folder: 's06-support-product' },
  { ids: 'S7', folder: 's07-code-assistant' },
  { ids: 'S8', folder: 's08-shopping' },
  { ids: 'S9', folder: 's09-workspace' },
  { ids: 'S10', folder: 's10-fraud' },
  { ids: 'S11', folder: 's11-content' },
  { ids: 'S12', folder: 's12-research' },
  { ids: 'S13', folder: 's13-document-evaluation' },
  { ids: 'S14', folder: 's14-chain' },
  { ids: 'S15', folder: 's15-onboarding' },
]

const filesOf = (folder: string): ReadonlyMap<string, string> => {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ya?ml|json|md)$/.test(name))
  return new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, folder, name), 'utf8')]))
}

const textOf = (folder: string): string => readFileSync(join(root, folder, 'flow.yaml'), 'utf8')

const check = (folder: string): CompileResult => compileFlow({ files: filesOf(folder), entry: 'flow.yaml' })

describe('the systems of the feature table', () => {
  it('are all there', () => {
    const ids = new Set(SYSTEMS.flatMap(({ ids: each }) => each.split(', ')))
    expect([...ids]).toEqual(Array.from({ length: 15 }, (_, index) => `S${index + 1}`))
    const folders = readdirSync(root).filter((name) => /^s\d\d-/.test(name))
    expect(folders.filter((folder) => SYSTEMS.every((system) => system.folder !== folder))).toEqual([])
  })

  it.each(SYSTEMS)('$ids: flows/$folder has no mistake (A15)', ({ folder }) => {
    expect(check(folder).diagnostics.map(formatDiagnostic)).toEqual([])
  })

  it.each(SYSTEMS)('$ids: flows/$folder is ready to run', ({ folder }) => {
    const result = check(folder)
    expect(result.ok && loadProgram(result.plan).plan.hash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('S14: the chain is four lines', () => {
    expect(textOf('s14-chain').trim().split('\n')).toHaveLength(4)
  })

  it('S3: every number of the description is in the flow', () => {
    const text = textOf('s03-moderation')
    for (const number of ['500ms', '3s', '5s', '0.95', '0.7', '0.9']) expect(text).toContain(number)
  })

  it('S5: agents share a buffer that expires and hand over below 0.6', () => {
    const text = textOf('s05-three-agents')
    expect(text).toContain('expires: 10m')
    expect(text.match(/minConfidence: 0\.6\n\s+(selfCheck: .+\n\s+)?fallback: generalist/g)).toHaveLength(3)
    expect(text).toContain('cut: never')
  })
})

/** Runs a committed flow in memory, with the work that a case gives. Times are made long: they are not what is shown, and machines are busy. */
const play = (folder: string, input: Json, options: RunOptions): ReturnType<typeof run> =>
  run(parse(textOf(folder).replaceAll(/\b\d+ms\b/g, '30s')) as FlowData, input, { ...options, files: filesOf(folder) }) // What the file holds was checked above.

const says =
  (answer: Json): Provider =>
  () =>
    Promise.resolve(typeof answer === 'string' ? answer : JSON.stringify(answer))
const isDown: Provider = () => Promise.reject(new Error('down'))

describe('S14: extract, summarise, translate', () => {
  it('hands the output of each step to the next', async () => {
    const models: Provider = ({ prompt }) => Promise.resolve(`<${prompt}>`)
    const result = await play('s14-chain', { text: 'A cat sat.' }, { models })
    expect(result.output).toBe(
      '<Translate this into German. <Summarise these facts in three sentences. <Extract the facts from A cat sat.>>>',
    )
  })
})

describe('S10: fraud decision', () => {
  const payment = { payment: 'p1', customer: 'c1', amount: 20, country: 'DE' }
  const facts = { known: true, countries: ['DE'], paymentsToday: 1 }
  const score = (value: number): Provider => says({ score: value, reason: 'as scored' })
  const tools = { 'payments/facts': () => facts }
  const people = { fraud: () => ({ verdict: 'decline', reason: 'card was stolen' }) }

  it.each([
    ['approves what is low', 0.1, { verdict: 'approve', by: 'set' }],
    ['asks people about the middle band', 0.7, { verdict: 'decline', reason: 'card was stolen', by: 'human:fraud' }],
    ['declines what is high', 0.95, { verdict: 'decline', by: 'set' }],
  ])('%s', async (_, value, expected) => {
    const result = await play('s10-fraud', payment, { tools, people, models: { 'fraud-small': score(value) } })
    expect(result).toMatchObject({ status: 'completed', output: expected })
  })

  it.each([
    ['the small model for a small payment of a known customer', payment, 0.1],
    ['the large model for a large payment', { ...payment, amount: 5_000 }, 0.2],
    ['the large model for another country', { ...payment, country: 'FR' }, 0.2],
  ])('asks %s', async (_, input, expected) => {
    const models = { 'fraud-small': score(0.1), 'fraud-large': score(0.2) }
    expect(await play('s10-fraud', input, { tools, people, models })).toMatchObject({ output: { score: expected } })
  })

  it('goes to the models that are up, and to people when none is', async () => {
    const rules = { 'fraud-large': isDown, 'fraud-small': isDown, 'fraud-rules': score(0.05) }
    expect(await play('s10-fraud', payment, { tools: {}, people, models: rules })).toMatchObject({ output: { verdict: 'approve' } })
    const none = { 'fraud-large': isDown, 'fraud-small': isDown, 'fraud-rules': isDown }
    expect(await play('s10-fraud', payment, { tools, people, models: none })).toMatchObject({ output: { by: 'human:fraud' } })
  })
})

describe('S9: one entry', () => {
  const intent = (task: string, confidence = 0.9): Json => ({ task, confidence })
  const answers = (first: Json): RunOptions['models'] => {
    const fast: Provider = ({ prompt }) =>
      Promise.resolve(
        JSON.stringify(prompt.includes('task is summarise') ? first : { text: prompt.includes('Rows:') ? 'told' : 'summed up' }),
      )
    return { fast, frontier: says({ text: 'written' }), reasoning: says({ sql: 'SELECT 1' }) }
  }
  const tools = { 'database/query': (input: Json) => ({ rows: [input] }) }

  it.each([
    ['summarise', 'summed up', 'model:fast'],
    ['write', 'written', 'model:frontier'],
    ['query', 'told', 'model:fast'],
    ['unclear', 'Shall I summarise this page, write something, or look it up in the database?', 'set'],
  ])('%s goes to its own prompt and model', async (task, text, by) => {
    const result = await play('s09-workspace', { text: 'please' }, { models: answers(intent(task)), tools })
    expect(result).toMatchObject({ status: 'completed', output: { text, by, task } })
  })

  it('asks back where the intent is not sure', async () => {
    const result = await play('s09-workspace', { text: 'please' }, { models: answers(intent('write', 0.3)), tools })
    expect(result).toMatchObject({ output: { task: 'unclear' } })
  })
})
