// `baton test` as the command line runs it, on files of a temporary folder and on the flows of this repository.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { main, buildProgram } from '../main.ts'

const FLOW = `flow: demo/desk@1.0.0
limits: { time: 1h, total: 30d }
input: { text: string }
steps:
  - sort:
      model: small
      prompt: Which desk is for {{ text }}?
      with: { text: =input.text }
      returns: { about: card | refund }
  - desk:
      switch: =sort.about
      cases:
        card: { tool: desk/card }
        refund: { human: { queue: refunds, sla: 5d }, returns: { paid: integer } }
`
const TEST = `cases:
  - name: a card
    input: { text: my card }
    answers: { sort: { about: card }, desk/card: sent }
    expect: { output: sent, people: [] }
`
const SLOW = `  - name: money after three days
    input: { text: my money }
    answers: { sort: { about: refund } }
    people: { refunds: { decides: respond, output: { paid: 5 }, after: 3d } }
    expect: { output: { paid: 6 } }
`

let folder: string
const put = async (files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-test-'))
  await put({ 'desk/flow.yaml': FLOW, 'desk/tests/desk.test.yaml': TEST })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const baton = async (...args: readonly string[]): Promise<{ readonly out: string; readonly notes: string; readonly failed: boolean }> => {
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

describe('baton test', () => {
  it('finds tests below a folder and plays them with the flow around', async () => {
    const { out, failed } = await baton('test', folder)
    expect(out).toContain('demo/desk@1.0.0')
    expect(out).toMatch(/ok {2}a card +completed/)
    expect(out).toContain('1 case: 1 passed, 0 failed')
    expect(failed).toBe(false)
  })

  it('says the first thing that is otherwise, the way of the run, and where the case stands', async () => {
    await put({ 'desk/tests/desk.test.yaml': TEST + SLOW })
    const { out, failed } = await baton('test', join(folder, 'desk/flow.yaml'))
    expect(out).toMatch(/FAIL +money after three days +completed +3d +1/)
    expect(out).toContain('output: output.paid is 5, not 6')
    expect(out).toContain('the run: sort > desk: refund > desk/refund')
    expect(out).toMatch(/desk\.test\.yaml:6/)
    expect(failed).toBe(true)
  })

  it('names the ways that no case took, with their lines', async () => {
    const { out } = await baton('test', folder, '--coverage')
    expect(out).toContain('demo/desk: 1 of 2 ways taken, 50.0 %')
    expect(out).toMatch(/not taken {2}.*flow\.yaml:14 {2}case of desk: refund/)
  })

  it('plays the cases that are named', async () => {
    await put({ 'desk/tests/desk.test.yaml': TEST + SLOW })
    expect((await baton('test', folder, '--only', 'card')).out).toContain('1 case: 1 passed')
    const none = await baton('test', folder, '--only', 'nothing')
    expect(none).toMatchObject({ failed: true, out: expect.stringContaining('no case has nothing in its name') })
  })

  it('brings a file up to date, and what is written passes', async () => {
    await put({ 'desk/tests/desk.test.yaml': TEST + SLOW })
    const { notes } = await baton('test', folder, '--update')
    expect(notes).toContain('desk.test.yaml written')
    expect(await readFile(join(folder, 'desk/tests/desk.test.yaml'), 'utf8')).toContain('paid: 5')
    expect((await baton('test', folder)).failed).toBe(false)
  })

  it('prints JSON for programs', async () => {
    const [file] = JSON.parse((await baton('test', folder, '--json')).out)
    expect(file).toMatchObject({
      ok: true,
      flow: 'demo/desk@1.0.0',
      cases: [{ name: 'a card', ok: true, path: ['sort', 'desk: card', 'desk/card'] }],
    })
    expect(file.coverage).toMatchObject({ taken: 1, total: 2 })
  })

  it('a mistake in a test file is shown with its place', async () => {
    await put({ 'desk/tests/desk.test.yaml': TEST.replace('expect', 'expct') })
    const { out, failed } = await baton('test', folder)
    expect(out).toMatch(/desk\.test\.yaml:5:5 error: a case has no expct; did you mean "expect"\?/)
    expect(failed).toBe(true)
  })

  it('a flow with mistakes is said as such', async () => {
    await put({ 'desk/flow.yaml': FLOW.replace('returns: { about', 'retrns: { about') })
    const { out, failed } = await baton('test', folder)
    expect(out).toContain('step "sort" has no key "retrns"; did you mean "returns"?')
    expect(failed).toBe(true)
  })

  it('a path without tests fails, wrong use is exit 2', async () => {
    await rm(join(folder, 'desk/tests'), { recursive: true })
    expect(await main(['test', folder])).toBe(1)
    expect(await main(['test', folder, '--nothing'])).toBe(2)
  })
})

describe('the flows of this repository', () => {
  it('pass their tests, and these take every way that can be taken', async () => {
    const files = JSON.parse((await baton('test', join(import.meta.dirname, '../../../flows'), '--json')).out)
    const failed = files.flatMap((file: { cases: { ok: boolean; name: string }[] }) => file.cases.filter(({ ok }) => !ok))
    expect(failed).toEqual([])
    expect(files.length).toBeGreaterThanOrEqual(7)
    const whole = files.map(({ flow, coverage: { taken, total } }: { flow: string; coverage: { taken: number; total: number } }) => [
      flow,
      total - taken,
    ])
    expect(whole.filter(([, missed]: [string, number]) => missed > 0)).toEqual([])
  })
})
