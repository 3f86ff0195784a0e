// The page about the builder is run, block by block.
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { RunResult } from '@baton/contracts'
import * as builder from '@baton/flow/builder'
import { z } from 'zod'
import { run } from './run.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/concepts/builder.md'), 'utf8')
const [chainBlock = '', flowBlock = ''] = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)

/** Runs a block and gives the value of one of its constants. */
const valueOf = (code: string, name: string): Promise<unknown> => {
  const body = stripTypeScriptTypes(code).replaceAll(/^import \{([^}]*)\} from '[^']*'/gm, 'const {$1} = modules')
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the text of the page is what has to be run
  const block = new Function('modules', `return (async () => { ${body}\nreturn ${name} })()`) as (modules: object) => Promise<unknown>
  return block({ ...builder, run, z })
}

describe('docs/concepts/builder.md', () => {
  it('runs the chain in memory', async () => {
    expect(await valueOf(chainBlock, 'result')).toMatchObject({
      status: 'completed',
      output: '(Summarise (Extract the facts from Two cats. One dog.))',
    })
  })

  it('shows a flow that has no mistakes and runs', async () => {
    expect(await valueOf(flowBlock, 'compiled')).toMatchObject({ ok: true, diagnostics: [] })
    // The block makes it with this very builder.
    const support = (await valueOf(flowBlock, 'support')) as { readonly data: builder.FlowData; readonly step: unknown }
    const result: RunResult = await run(
      support,
      { text: 'Where is my refund?', ticket: 'T-1' },
      {
        models: () => Promise.resolve('{ "intent": "refund", "confidence": 0.4 }'),
        people: { support: () => ({ intent: 'refund', confidence: 1 }) },
        indexes: { help: () => ({ items: [] }) },
        tools: { 'billing/refund_status': () => ({ text: 'on its way' }) },
      },
    )
    expect(result).toMatchObject({ status: 'completed', output: { text: 'on its way', by: 'tool:billing/refund_status', sources: [] } })
  })

  it('names only functions that the builder has', () => {
    const named = [...page.matchAll(/^- \*\*(?:Conditions|Bodies)\*\*.*$/gm)].flatMap(([line]) =>
      [...line.matchAll(/`([a-zA-Z ]+)`/g)].flatMap(([, words = '']) => words.split(' ')),
    )
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((name) => !(name in builder))).toEqual([])
  })
})
