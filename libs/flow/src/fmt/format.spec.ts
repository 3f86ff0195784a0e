import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compileFlow } from '../compile.ts'
import { SUPPORT, SAMPLE_FILES } from '../testing/samples.ts'
import { formatFlow } from './format.ts'
import { byOrder, STEP_ORDER, TOP_ORDER } from './order.ts'

const hashOf = (text: string): string => {
  const result = compileFlow({ files: new Map([...SAMPLE_FILES, ['support/flow.yaml', text]]), entry: 'support/flow.yaml' })
  return result.ok ? result.plan.hash : JSON.stringify(result.diagnostics)
}

const UNTIDY = `# what this is for
steps:
    -   facts:
            with: {text: =input.text}   # only the text
            timeout:  5s
            # asks a model
            prompt: "Extract {{ text }}"


    -   route:
            cases: {tool: {set: {a: 1}}, model: {set: {a: 2}}}
            switch: '=input.kind'
input: {kind: tool | model, text: string}
flow: demo/untidy@1.0.0
`

describe('formatting a flow', () => {
  it('gives top level and steps their order of keys, and two spaces', () => {
    expect(formatFlow(UNTIDY)).toBe(`# what this is for
flow: demo/untidy@1.0.0
input: { kind: tool | model, text: string }
steps:
  - facts:
      # asks a model
      prompt: "Extract {{ text }}"
      with: { text: =input.text } # only the text
      timeout: 5s

  - route:
      switch: '=input.kind'
      cases: { tool: { set: { a: 1 } }, model: { set: { a: 2 } } }
`)
  })

  it('F1: keeps the plan', () => {
    expect(hashOf(formatFlow(UNTIDY) ?? '')).toBe(hashOf(UNTIDY))
    expect(hashOf(formatFlow(SUPPORT) ?? '')).toBe(hashOf(SUPPORT))
  })

  it('F2: changes nothing the second time', () => {
    for (const text of [UNTIDY, SUPPORT]) {
      const once = formatFlow(text) ?? ''
      expect(formatFlow(once)).toBe(once)
    }
  })

  it('F3: keeps every comment', () => {
    const comments = (text: string): readonly string[] =>
      [...text.matchAll(/(?<=^|\s)#.*$/gm)].map(([comment]) => comment.trim()).toSorted()
    for (const text of [UNTIDY, SUPPORT]) expect(comments(formatFlow(text) ?? '')).toEqual(comments(text))
  })

  it('writes what does not fit a line in lines, and leaves the lines of text alone', () => {
    const long = `steps:\n  - a: { prompt: ${'word '.repeat(30)}, with: { x: =input.x, y: =input.y }, timeout: 5s }\n  - b: |\n      one\n      two\n`
    const formatted = formatFlow(long) ?? ''
    expect(formatted).toContain('\n      with: { x: =input.x, y: =input.y }\n')
    expect(formatted).toContain('  - b: |\n      one\n      two\n')
  })

  it('moves nothing where anchors are', () => {
    const text = `steps:\n  - a:\n      timeout: &t 5s\n      prompt: Say {{ input.x }}\n  - b:\n      timeout: *t\n      prompt: Say {{ a }}\n`
    expect(formatFlow(text)).toBe(text)
  })

  it('formats JSON as JSON', () => {
    expect(formatFlow('{"steps":[{"a":{"timeout":"5s","prompt":"Say {{ input.x }}"}}],"flow":"a/b"}', { json: true })).toBe(
      `${JSON.stringify({ flow: 'a/b', steps: [{ a: { prompt: 'Say {{ input.x }}', timeout: '5s' } }] }, null, 2)}\n`,
    )
  })

  it('leaves alone what it cannot read', () => {
    expect(formatFlow('steps: [')).toBeUndefined()
    expect(formatFlow('- a list')).toBeUndefined()
  })

  it('keeps unknown keys behind the key they followed', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...STEP_ORDER, 'x', 'y']), (keys) => {
        const sorted = byOrder(keys, (key) => key, STEP_ORDER)
        expect(sorted.toSorted()).toEqual(keys.toSorted())
        expect(byOrder(sorted, (key) => key, STEP_ORDER)).toEqual(sorted)
      }),
    )
    expect(new Set(TOP_ORDER).size).toBe(TOP_ORDER.length)
  })
})
