import { describe, expect, it } from '@jest/globals'
import { openFlow, openPlan, type OpenedFlow } from '../outline/open.ts'
import { SAMPLE_FILES, SUPPORT } from '../testing/samples.ts'
import { diffFlows } from './diff.ts'
import { diffText } from './text.ts'

const opened = (text: string, files: Readonly<Record<string, string>> = {}): OpenedFlow => {
  const result = openFlow({
    files: new Map([...SAMPLE_FILES, ...Object.entries(files), ['support/flow.yaml', text]]),
    entry: 'support/flow.yaml',
  })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.flow
}
const base = opened(SUPPORT)
const changed = (from: string, to: string): readonly unknown[] => {
  expect(SUPPORT).toContain(from)
  return diffFlows(base, opened(SUPPORT.replace(from, to))).changes
}

describe('what changes between two versions of a flow', () => {
  it('F1: formatting and comments are no change', () => {
    const diff = diffFlows(base, opened(`# another comment\n${SUPPORT.replaceAll(/ +#.*$/gm, '')}`))
    expect(diff).toMatchObject({ same: true, changes: [] })
    expect(diffText(diff)).toContain('the plan is the same')
  })

  it('a published plan and its file are the same', () => {
    expect(diffFlows(openPlan(base.plan), base)).toMatchObject({ same: true, changes: [] })
    expect(diffFlows(openPlan(base.plan), opened(SUPPORT.replace('timeout: 8s', 'timeout: 9s'))).changes).toHaveLength(1)
  })

  it('says thresholds, models, times, limits and queues with their values', () => {
    expect(changed('send: { type: number, default: 0.8', 'send: { type: number, default: 0.9')).toMatchObject([
      { area: 'params', at: 'send', what: 'default', before: 0.8, after: 0.9 },
    ])
    expect(changed('model: [gpt-large, haiku-small]', 'model: [gpt-large]')).toMatchObject([{ at: 'answer', what: 'model' }])
    expect(changed('timeout: 8s', 'timeout: 9s')).toMatchObject([{ at: 'answer', what: 'timeout', before: '8 s', after: '9 s' }])
    expect(changed('cost: 0.05 USD', 'cost: 0.10 USD')).toMatchObject([{ area: 'limits', before: '0.05 USD', after: '0.10 USD' }])
    expect(changed('sla: 360m', 'sla: 60m')).toMatchObject([{ what: 'human.slaMs', before: '6 h', after: '1 h' }])
  })

  it('says the text of prompts and the fields of schemas', () => {
    const prompt = diffFlows(base, opened(SUPPORT, { 'support/prompts/classify-intent@1.md': 'Which intent?\n\n{{ text }}\n' }))
    expect(prompt.changes).toMatchObject([{ at: 'classify', what: 'prompt' }])
    expect(diffText(prompt)).toContain('+ Which intent?')
    const schema = diffFlows(
      base,
      opened(SUPPORT, { 'support/schemas/intent@1.yaml': 'intent: refund | technical | unknown\nconfidence: 0..1\nnote: string?\n' }),
    )
    expect(schema.changes).toMatchObject([{ at: 'classify', change: 'added', what: 'returns.properties.note' }])
  })

  it('says steps that came, went and moved, and outcomes', () => {
    const added = diffFlows(base, opened(SUPPORT.replace('onError:', '  - last: { set: { done: true } }\nonError:')))
    expect(added.changes).toMatchObject([{ at: 'last', change: 'added' }])
    expect(diffFlows(opened(SUPPORT.replace('onError:', '  - last: { set: { done: true } }\nonError:')), base).changes).toMatchObject([
      { at: 'last', change: 'removed' },
    ])
    expect(changed('then: next }', 'then: end }')).toMatchObject([{ at: 'answer', what: 'gate' }])
  })

  it('marks what callers see', () => {
    expect(changed('  text: string\n', '  text: string\n  more: string\n')).toMatchObject([
      { area: 'input', what: 'properties.more', change: 'added', breaks: true },
      { area: 'input', what: 'required', breaks: true },
    ])
    expect(changed(', by: =answer.by }', ' }')).toMatchObject([{ area: 'output', at: 'by', change: 'removed', breaks: true }])
  })

  it('schema.incompatible: says what breaks callers while the version promises that nothing does', () => {
    const after = opened(SUPPORT.replace('  text: string\n', '  text: string\n  more: string\n').replace('@2.0.0', '@2.1.0'))
    expect(diffFlows(base, after).incompatible).toMatchObject([{ path: 'input.more', fix: expect.stringContaining('3.0.0') }])
    expect(diffText(diffFlows(base, after))).toContain('! schema.incompatible: input.more is required now')
    const next = opened(SUPPORT.replace('  text: string\n', '  text: string\n  more: string\n').replace('@2.0.0', '@3.0.0'))
    expect(diffFlows(base, next).incompatible).toEqual([])
  })

  it('a new name or version alone changes nothing in behaviour', () => {
    const diff = diffFlows(base, opened(SUPPORT.replace('@2.0.0', '@2.0.1')))
    expect(diff).toMatchObject({ same: true, changes: [{ at: 'version', before: '2.0.0', after: '2.0.1' }] })
  })
})
