// The commands around flows, run as the command line runs them, on files of a temporary folder.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { buildProgram } from '../main.ts'

const FLOW = `flow: demo/first@1.0.0
input: { text: string }
steps:
  - classify:
      prompt: ask@1
      with: { text: =input.text }
      timeout: 5s
`
const WRONG = 'steps:\n  - a: Say {{ input.x }}\n  - b: { prompt: Say {{ aa }}, timeuot: 5s }\n'

let folder: string
const put = async (files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-tools-'))
  await put({ 'first/flow.yaml': FLOW, 'first/prompts/ask@1.md': 'Which intent has {{ text }}?\n' })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

type Ran = { readonly out: string; readonly notes: string; readonly failed: boolean }
const baton = async (...args: readonly string[]): Promise<Ran> => {
  const out: string[] = []
  const notes: string[] = []
  let failed = false
  const terminal = {
    interactive: false,
    print: (text: string) => void out.push(text),
    note: (text: string) => void notes.push(text),
    status: () => undefined,
    settle: () => undefined,
  }
  const program = await buildProgram({ terminal, fail: () => void (failed = true) }, args)
  await program.parseAsync([...args], { from: 'user' })
  return { out: out.join('\n'), notes: notes.join('\n'), failed }
}

describe('baton check', () => {
  it('searches folders for flows, and leaves their parts alone', async () => {
    await put({ 'tools/er/second.yaml': 'steps:\n  - a: Say {{ input.x }}\n', 'first/evals/eval.yaml': 'steps: []\n' })
    const { out, failed } = await baton('check', folder)
    expect(out).toMatch(/first\/flow\.yaml: ok, demo\/first@1\.0\.0, plan [0-9a-f]{12}/)
    expect(out).toContain('second.yaml: ok')
    expect(out).toContain('2 flows: 0 errors, 0 warnings')
    expect(failed).toBe(false)
  })

  it('finds the parts of a flow that is named by its file', async () => {
    expect((await baton('check', join(folder, 'first/flow.yaml'))).failed).toBe(false)
  })

  it('shows a mistake in its line, and fails', async () => {
    await put({ 'wrong.yaml': WRONG })
    const { out, failed } = await baton('check', join(folder, 'wrong.yaml'))
    expect(out).toMatch(/wrong\.yaml:3:\d+ error /)
    expect(out).toMatch(/\n {2}3 \| {3}- b: .*\n {4}\| +\^/)
    expect(out).toContain('see docs/diagnostics/')
    expect(failed).toBe(true)
  })

  it('prints JSON whose fields stay', async () => {
    await put({ 'wrong.yaml': WRONG })
    const [right, wrong] = JSON.parse((await baton('check', join(folder, 'first'), join(folder, 'wrong.yaml'), '--json')).out)
    expect(Object.keys(right)).toEqual(['path', 'ok', 'flow', 'version', 'hash', 'errors', 'warnings', 'diagnostics'])
    expect(right).toMatchObject({ ok: true, flow: 'demo/first', version: '1.0.0', errors: 0, diagnostics: [] })
    expect(wrong).toMatchObject({ ok: false, flow: null, diagnostics: [{ line: 3, severity: 'error' }] })
  })

  it('finds flows that start each other, seen together', async () => {
    const calls = (name: string, other: string): string => `flow: demo/${name}@1.0.0\nsteps:\n  - again: { flow: demo/${other} }\n`
    await put({ 'ring/a.yaml': calls('a', 'b'), 'ring/b.yaml': calls('b', 'a') })
    expect(await baton('check', join(folder, 'ring'))).toMatchObject({ failed: true, out: expect.stringContaining('flow.cycle') })
    expect((await baton('check', join(folder, 'ring/a.yaml'))).failed).toBe(false)
  })

  it('--strict: warnings fail', async () => {
    const slow = `limits: { time: 6s }\nsteps:\n  - a: { prompt: "Say {{ input.x }}", timeout: 5s }\n  - b: { prompt: "Say {{ a }}", timeout: 5s }\n`
    await put({ 'slow.yaml': slow })
    const path = join(folder, 'slow.yaml')
    expect(await baton('check', path)).toMatchObject({ failed: false, out: expect.stringContaining('1 warning') })
    expect((await baton('check', path, '--strict')).failed).toBe(true)
  })

  it('says when a path holds no flow', async () => {
    await put({ 'empty/readme.md': 'nothing' })
    await expect(baton('check', join(folder, 'empty'))).rejects.toMatchObject({ code: 'request.not_found' })
    await expect(baton('check', join(folder, 'gone'))).rejects.toMatchObject({ code: 'request.not_found' })
  })
})

describe('baton graph', () => {
  it('draws Mermaid, SVG and JSON', async () => {
    const path = join(folder, 'first')
    expect((await baton('graph', path)).out).toMatch(/^flowchart/)
    expect((await baton('graph', path, '--format', 'svg')).out).toMatch(/^<svg .*<\/svg>$/s)
    expect(JSON.parse((await baton('graph', path, '--format', 'json')).out)).toMatchObject({
      flow: 'demo/first',
      steps: [{ id: 'classify' }],
    })
  })

  it('writes to a file', async () => {
    await baton('graph', join(folder, 'first'), '--format', 'svg', '--out', join(folder, 'first.svg'))
    expect(await readFile(join(folder, 'first.svg'), 'utf8')).toMatch(/<\/svg>\n$/)
  })

  it('refuses a flow with mistakes', async () => {
    await put({ 'wrong.yaml': WRONG })
    await expect(baton('graph', join(folder, 'wrong.yaml'))).rejects.toMatchObject({ code: 'flow.invalid' })
  })
})

describe('baton fmt', () => {
  const UNTIDY = 'steps:\n    - a: {timeout: 5s, prompt: "Say {{ input.x }}"} # why\nflow: demo/a@1.0.0\n'

  it('writes the formatted file; with --check it only says so', async () => {
    await put({ 'untidy.yaml': UNTIDY })
    const path = join(folder, 'untidy.yaml')
    expect(await baton('fmt', path, '--check')).toMatchObject({ failed: true, out: `${path}: not formatted` })
    expect(await readFile(path, 'utf8')).toBe(UNTIDY)
    expect(await baton('fmt', path)).toMatchObject({ failed: false, out: `${path}: formatted` })
    expect(await readFile(path, 'utf8')).toBe('flow: demo/a@1.0.0\nsteps:\n  - a: { prompt: "Say {{ input.x }}", timeout: 5s } # why\n')
    expect(await baton('fmt', path, '--check')).toMatchObject({ failed: false, out: '' })
  })

  it('leaves a file alone that cannot be read, and fails', async () => {
    await put({ 'broken.yaml': 'steps: [\n' })
    expect(await baton('fmt', join(folder, 'broken.yaml'))).toMatchObject({ failed: true, notes: expect.stringContaining('not formatted') })
    expect(await readFile(join(folder, 'broken.yaml'), 'utf8')).toBe('steps: [\n')
  })
})

describe('baton explain, diff and types', () => {
  it('explains in words and as JSON', async () => {
    expect((await baton('explain', join(folder, 'first'))).out).toContain('Where people are asked\n  nowhere')
    expect(JSON.parse((await baton('explain', join(folder, 'first'), '--json')).out)).toMatchObject({ input: 'text (string)', people: [] })
  })

  it('says what changes in behaviour, and when nothing does', async () => {
    const files = (text: string): Record<string, string> => ({
      'next/flow.yaml': text,
      'next/prompts/ask@1.md': 'Which intent has {{ text }}?\n',
    })
    await put(files(`# a comment\n${FLOW}`))
    expect((await baton('diff', join(folder, 'first'), join(folder, 'next'))).out).toContain('the plan is the same')
    await put(files(FLOW.replace('5s', '6s')))
    expect((await baton('diff', join(folder, 'first'), join(folder, 'next'))).out).toContain('~ step classify: timeout: 5 s → 6 s')
    expect(JSON.parse((await baton('diff', join(folder, 'first'), join(folder, 'next'), '--json')).out)).toMatchObject({
      same: false,
      changes: [{ area: 'step', at: 'classify', what: 'timeout' }],
    })
  })

  it('writes types', async () => {
    const out = join(folder, 'first.ts')
    await baton('types', join(folder, 'first'), '--out', out)
    expect(await readFile(out, 'utf8')).toContain('export type FirstInput = {\n  readonly text: string\n}')
  })
})
