import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { openFlow, type OpenedFlow } from '../outline/open.ts'
import { SAMPLE_FILES } from '../testing/samples.ts'
import { escape, wrap } from './shapes.ts'
import { toSvg } from './svg.ts'
import { xmlProblem } from './well-formed.fixture.ts'

const opened = (text: string): OpenedFlow => {
  const result = openFlow({ files: new Map([...SAMPLE_FILES, ['flow.yaml', text]]), entry: 'flow.yaml' })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.flow
}
const support = (): string => {
  const result = openFlow({ files: SAMPLE_FILES, entry: 'support/flow.yaml' })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return toSvg(result.flow.outline)
}

describe('a drawing of a flow', () => {
  it('V1: is well-formed XML with a title and a description', () => {
    expect(xmlProblem(support())).toBeUndefined()
    expect(support()).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*role="img"/)
    expect(support()).toContain('<title>support/customer-support@2.0.0</title>')
  })

  it('names every step, what it does, and its outcomes on the arrows', () => {
    for (const text of [
      'classify',
      'model strong',
      'docs',
      'facts',
      'refund',
      'technical',
      'unknown',
      'it.confidence &gt;=',
      'else',
      'when a step fails',
    ])
      expect(support()).toContain(text)
    expect(support()).toContain('marker-end="url(#arrow)"')
  })

  it('marks people and what cannot be undone', () => {
    const svg = toSvg(
      opened(`steps:
  - ask: { human: { queue: desk, sla: 1h } }
  - pay: { tool: bank/pay, effect: irreversible }
  - note: { tool: bank/note, effect: read, cache: 5m }
`).outline,
    )
    expect(svg).toContain('<circle')
    expect(svg).toContain('cannot be undone')
    expect(xmlProblem(svg)).toBeUndefined()
  })

  it('puts branches side by side', () => {
    const svg = toSvg(
      opened('steps:\n  - looks:\n      parallel: { left: "Look at {{ input.a }}", right: "Look at {{ input.b }}" }\n').outline,
    )
    const places = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)"[^>]*rx="6"/g)].map(([, x, y]) => ({ x, y }))
    const [, left, right] = places
    expect(left?.y).toBe(right?.y)
    expect(Number(right?.x)).toBeGreaterThan(Number(left?.x))
  })

  it('V1: stays well-formed whatever stands in prompts and labels', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(xmlProblem(`<a b="${escape(text)}">${escape(text)}</a>`)).toBeUndefined()
      }),
    )
  })

  it('wraps long text and says where it was cut', () => {
    expect(wrap('one two three four', 10, 2)).toEqual(['one two', 'three four'])
    expect(wrap('aaaa bbbb cccc', 5, 2).at(-1)).toMatch(/…$/)
    expect(wrap('', 5, 2)).toEqual([])
  })
})
