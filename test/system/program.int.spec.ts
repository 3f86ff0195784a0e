// What a program gets from the package as it is built: one file, and beside it what is loaded only when it is needed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'

jest.setTimeout(60_000)
const root = join(import.meta.dirname, '../..')

/** What a program prints, as JSON: its text runs in a process of its own, outside this suite's module loader. */
const printed = (program: string): unknown => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the program ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

describe("import … from 'baton'", () => {
  it('A17: runs a chain of prompts', () => {
    const program = `
      import { chain, run } from 'baton'
      const notes = chain({ facts: 'Extract {{ input.text }}', summary: 'Summarise {{ facts }}' })
      const { status, output } = await run(notes, { text: 'two cats' }, { models: async ({ prompt }) => '(' + prompt + ')' })
      console.log(JSON.stringify({ status, output }))`
    expect(printed(program)).toEqual({ status: 'completed', output: '(Summarise (Extract two cats))' })
  })

  it('loads the parser of YAML, patterns and the checker of schemas where a flow needs them', () => {
    const program = `
      import { flow, matches, model, run, schema, set } from 'baton'
      const files = new Map([
        ['prompts/answer@1.md', '---\\nsystem: Be dry.\\n---\\nAnswer {{ text }}'],
        ['schemas/answer@1.yaml', 'sure: boolean'],
      ])
      const desk = flow('demo/desk@1.0.0')
        .input({ text: 'string' })
        .step('answer', ({ input }) => model({ prompt: 'answer@1', with: { text: input.text }, returns: schema('answer@1') }))
        .step('cats', ({ input }) => set(matches(input.text, '^(two )?cats$')))
        .output(({ answer, cats }) => ({ sure: answer.sure, cats }))
      const compiled = desk.compile({ files })
      const asked = []
      const models = async ({ prompt, system }) => (asked.push([system, prompt]), '{"sure":true}')
      const { output } = await run(desk, { text: 'two cats' }, { files, models })
      console.log(JSON.stringify({ compiled: compiled.ok, asked, output }))`
    expect(printed(program)).toEqual({
      compiled: true,
      asked: [['Be dry.', 'Answer two cats']],
      output: { sure: true, cats: true },
    })
  })

  it('understands faults and pieces of flows that come from the packages behind it', () => {
    const program = `
      import { Fault } from '@baton/contracts/fault'
      import { tool } from '@baton/flow/builder'
      import * as baton from 'baton'
      const desk = baton.flow().step('ticket', tool('desk/open'))
      const tools = { 'desk/open': () => { throw new Fault('tool.failed', 'closed', { desk: 1 }) } }
      const { status, fault } = await baton.run(desk, {}, { tools })
      const invalid = await baton.run({ steps: 1 }).catch((error) => error)
      console.log(JSON.stringify({ status, fault, same: baton.Fault === Fault, thrown: invalid instanceof Fault && invalid.code }))`
    expect(printed(program)).toMatchObject({
      status: 'failed',
      fault: { code: 'tool.failed', message: 'closed', detail: { desk: 1 } },
      same: true,
      thrown: 'flow.invalid',
    })
  })

  it('is one file: beside Node only the class of faults is loaded with it, which must be the same everywhere', () => {
    const text = readFileSync(join(root, 'cli/dist/bundle/program.js'), 'utf8')
    const imported = [...text.matchAll(/^import .*"(?!node:)(.*)";$/gm)].map(([, from]) => from)
    expect(imported).toEqual(['@baton/contracts/fault'])
  })

  it('gives what the builder and the run in memory have', () => {
    const program = `
      import * as builder from '@baton/flow/builder'
      import * as baton from 'baton'
      console.log(JSON.stringify([...Object.keys(builder), 'run', 'openAiProvider', 'Fault'].filter((name) => !(name in baton))))`
    expect(printed(program)).toEqual([])
  })
})
