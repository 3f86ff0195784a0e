// The types that `baton types` writes are compiled, and used as a client would, by the TypeScript compiler itself.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { clientTypes, openFlow } from '@baton/flow'

jest.setTimeout(60_000)
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'baton-types-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FLOW = `flow: support/answer@1.0.0
params:
  send: { type: number, default: 0.8, min: 0, max: 1 }
input:
  text: string
  urgent: { type: boolean, default: false }
  tags: string[]?
  "odd key": integer?
steps:
  - classify:
      prompt: Which intent has {{ input.text }}?
      returns: { intent: refund | other, confidence: 0..1, notes: "string[]?" }
  - facts:
      when: classify.intent == "refund"
      tool: billing/status
      returns: { status: open | paid, lines: { type: array, items: { amount: number } } }
output: { intent: =classify.intent, facts: =facts, sure: "=classify.confidence >= params.send" }
`

const compile = (client: string): string => {
  const opened = openFlow({ files: new Map([['flow.yaml', FLOW]]), entry: 'flow.yaml' })
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics))
  writeFileSync(join(folder, 'answer.ts'), clientTypes(opened.flow))
  writeFileSync(join(folder, 'client.ts'), client)
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--skipLibCheck',
    '--types',
    '',
    '--allowImportingTsExtensions',
  ]
  return spawnSync(process.execPath, [compiler, ...args, join(folder, 'client.ts')], { encoding: 'utf8', cwd: folder }).stdout
}

const USE = `import { AnswerFlow, type AnswerInput, type AnswerOutput, type AnswerParams } from './answer.ts'
export const name: 'support/answer' = AnswerFlow
export const input: AnswerInput = { text: 'Where is my money?', tags: ['a'], 'odd key': 1 }
export const params: AnswerParams = { send: 0.9 }
export const read = (output: AnswerOutput): string => {
  const intent: 'refund' | 'other' = output.intent
  const sure: boolean = output.sure
  return output.facts === null ? intent : \`\${output.facts.status} \${String(sure)} \${output.facts.by}\`
}
`

describe('types for clients', () => {
  it('T2: compile under strict, and a client can use them', () => {
    expect(compile(USE)).toBe('')
  })

  it('a client that forgets a skipped step, sends a wrong type or reads an unknown field does not compile', () => {
    expect(compile(USE.replace('output.facts === null ? intent : ', ''))).toContain('possibly')
    expect(compile(USE.replace("tags: ['a']", 'tags: 1'))).toContain('TS2322')
    expect(compile(USE.replace('output.intent', 'output.intnet'))).toContain('TS2551')
  })
})
