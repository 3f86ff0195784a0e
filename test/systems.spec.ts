// S1 to S15: the systems of the feature table as flows. Every one is free of mistakes; those below `waits` use words that the engine cannot run yet.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { compileFlow, formatDiagnostic, type CompileResult } from '@baton/flow'

const root = join(import.meta.dirname, '..', 'flows')

type System = {
  /** Ids of the feature table. */
  readonly ids: string
  readonly folder: string
  /** Steps that wait for the engine, and words at the top of the file that do. None: the flow runs today. */
  readonly waits: readonly string[]
  readonly words: readonly string[]
}

const SYSTEMS: readonly System[] = [
  { ids: 'S1, S2', folder: 'support', waits: [], words: [] },
  { ids: 'S3, S4', folder: 's03-moderation', waits: ['pictures', 'escalation'], words: ['triggers'] },
  { ids: 'S4', folder: 's04-images', waits: ['looks'], words: [] },
  { ids: 'S5', folder: 's05-three-agents', waits: ['extraction', 'summary', 'decision'], words: ['agents', 'buffers', 'limits'] },
  { ids: 'S6', folder: 's06-support-product', waits: ['customer', 'reply/complaint/care'], words: ['history', 'triggers'] },
  { ids: 'S7', folder: 's07-code-assistant', waits: ['code/completion', 'code/edit'], words: [] },
  { ids: 'S8', folder: 's08-shopping', waits: ['found'], words: [] },
  { ids: 'S9', folder: 's09-workspace', waits: [], words: [] },
  { ids: 'S10', folder: 's10-fraud', waits: [], words: [] },
  { ids: 'S11', folder: 's11-content', waits: ['edited', 'formatted'], words: [] },
  { ids: 'S12', folder: 's12-research', waits: ['report'], words: ['agents', 'limits'] },
  { ids: 'S13', folder: 's13-document-evaluation', waits: ['findings'], words: [] },
  { ids: 'S14', folder: 's14-chain', waits: [], words: [] },
  {
    ids: 'S15',
    folder: 's15-onboarding',
    waits: ['reviews', 'report', 'account', 'told'],
    words: ['agents', 'buffers', 'limits', 'triggers'],
  },
]

const textOf = (folder: string): string => readFileSync(join(root, folder, 'flow.yaml'), 'utf8')

const check = (folder: string): CompileResult => {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ya?ml|json|md)$/.test(name))
  const files = new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, folder, name), 'utf8')]))
  return compileFlow({ files, entry: 'flow.yaml' })
}

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

  it.each(SYSTEMS)('$ids: flows/$folder waits for the engine with $waits $words', ({ folder, waits, words }) => {
    const result = check(folder)
    const ids = result.ok ? Object.keys(result.plan.later ?? {}) : []
    const isWord = (id: string): boolean => id.startsWith('$')
    // Steps inside a step, or inside an agent, are part of it.
    const steps = ids.filter((id) => !isWord(id) && !id.startsWith('agents/') && !ids.some((other) => id.startsWith(`${other}/`)))
    expect(steps).toEqual(waits)
    expect(ids.filter(isWord)).toEqual(words.map((word) => `$${word}`))
  })

  it('S1, S2, S9, S10, S14 run today', () => {
    const today = SYSTEMS.filter(({ waits, words }) => waits.length + words.length === 0)
    expect(today.map(({ ids }) => ids)).toEqual(['S1, S2', 'S9', 'S10', 'S14'])
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
