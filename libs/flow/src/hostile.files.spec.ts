// Files that are broken, huge or meant to do harm: each ends as a diagnostic, in bounded time and memory (MISSION A15, R8).
import { describe, expect, it } from '@jest/globals'
import { compileFlow } from './compile.ts'
import type { Diagnostic } from './diagnostic.ts'

/** Longest that one check of a hostile file may take; far above what it does take, so that a slow machine does not matter. */
const LONGEST_MS = 20_000

const check = (text: string, more: ReadonlyMap<string, string> = new Map()): readonly Diagnostic[] =>
  compileFlow({ files: new Map([['flow.yaml', text], ...more]), entry: 'flow.yaml' }).diagnostics
const codes = (text: string, more?: ReadonlyMap<string, string>): readonly string[] => [
  ...new Set(check(text, more).map(({ code }) => code)),
]

const FLOW = `flow: shop/reply@1.0.0
params:
  send: { type: number, default: 0.8, min: 0.5, max: 1 }
input:
  text: string
steps:
  - classify:
      prompt: Classify {{ input.text }}
      returns: { intent: [refund, other], confidence: number }
  - facts:
      switch: =classify.intent
      cases:
        refund: { tool: shop/refund_status, with: { text: =input.text } }
      else: { set: { found: false } }
  - answer:
      prompt: "Answer {{ input.text }} with {{ facts }}"
      gate:
        - { when: classify.confidence >= params.send, then: next }
        - { else: { human: { queue: support, sla: 30m } } }
output: =answer
`
const steps = (count: number): string =>
  `steps:\n${Array.from({ length: count }, (_, index) => `  - s${index}: Say {{ input.text }}\n`).join('')}`

describe('broken text', () => {
  it('a flow that is cut anywhere is read or gets a diagnostic', () => {
    for (let end = 0; end < FLOW.length; end++) {
      const result = compileFlow({ files: new Map([['flow.yaml', FLOW.slice(0, end)]]), entry: 'flow.yaml' })
      expect([end, result.ok || result.diagnostics.length > 0]).toEqual([end, true])
    }
  })

  it('JSON that is cut anywhere is read or gets a diagnostic', () => {
    const text = JSON.stringify({
      flow: 'a/b@1.0.0',
      steps: [{ a: { prompt: 'Say {{ input.text }}', timeout: '5s' } }, { b: 'Tell {{ a }}' }],
    })
    for (let end = 0; end < text.length; end++) expect(codes(text.slice(0, end))).not.toEqual([])
    expect(codes(text)).toEqual([])
  })

  it('duplicate keys are mistakes, at every level and in JSON too', () => {
    expect(codes('steps:\n  - a: x\nsteps:\n  - b: y')).toEqual(['yaml.syntax'])
    expect(codes('steps:\n  - a: { set: { x: 1, x: 2 } }')).toEqual(['yaml.syntax'])
    expect(codes('{"steps":[{"a":"x"}],"steps":[{"b":"y"}]}')).toEqual(['yaml.syntax'])
    expect(codes('steps:\n  - a: { set: { "x": 1, x: 2 } }')).toEqual(['yaml.syntax'])
  })

  it.each([
    ['empty', ''],
    ['white', ' \n\t\n '],
    ['a comment', '# nothing'],
    ['a scalar', '42'],
    ['a list', '- a\n- b'],
    ['several documents', 'steps: []\n---\nsteps: []'],
    ['a tag of a language', 'steps: !!js/function "function () {}"'],
    ['a merge key', 'x: &x { a: 1 }\n<<: *x\nsteps: [ { a: hi } ]'],
    ['binary', '\u0001\u0002\u0003'],
    ['a directive', '%YAML 1.1\n---\nsteps: 1'],
    ['a prototype as a key', '__proto__: { a: 1 }\nsteps: 1'],
    ['prototypes as steps', 'steps:\n  - __proto__: hi\n  - constructor: hi'],
  ])('%s', (_name, text) => {
    expect(codes(text).length).toBeGreaterThan(0)
  })

  it('a prototype in data stays data', () => {
    const result = compileFlow({
      files: new Map([['flow.yaml', 'steps:\n  - a: { set: { __proto__: { admin: true } } }']]),
      entry: 'flow.yaml',
    })
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
    expect(result.ok || result.diagnostics.length > 0).toBe(true)
  })
})

describe('encodings', () => {
  const decoded = (bytes: Buffer): string => bytes.toString('utf8')

  it.each([
    ['UTF-16 with a mark', decoded(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(FLOW, 'utf16le')])), /UTF-16/],
    ['UTF-16 without', decoded(Buffer.from(FLOW, 'utf16le')), /UTF-16/],
    ['Latin-1', decoded(Buffer.from('steps:\n  - a: Grüße', 'latin1')), /not UTF-8/],
    ['a NUL', 'steps:\n  - a: hi\u0000there', /NUL/],
    ['half a pair', 'steps:\n  - a: hi \ud800 there', /not UTF-8/],
  ])('%s', (_name, text, message) => {
    const [first, ...others] = check(text)
    expect(first).toMatchObject({
      code: 'file.encoding',
      file: 'flow.yaml',
      message: expect.stringMatching(message),
      fix: 'save the file as UTF-8',
    })
    expect(others).toEqual([])
  })

  it('names the line and column of the first character that is wrong', () => {
    expect(check(decoded(Buffer.from('steps:\n  - a: Grüße', 'latin1')))).toMatchObject([{ line: 2, column: 10 }])
  })

  it('a prompt and a schema in a file as well', () => {
    const flow = 'steps:\n  - a: { prompt: p@1, with: { x: =input.x }, returns: s@1 }'
    const files = new Map([
      ['prompts/p@1.md', decoded(Buffer.from('Grüße {{ x }}', 'latin1'))],
      ['schemas/s@1.json', decoded(Buffer.from('{"type":"string"}', 'utf16le'))],
    ])
    expect(check(flow, files).map(({ code, file }) => `${file} ${code}`)).toEqual([
      'prompts/p@1.md file.encoding',
      'schemas/s@1.json file.encoding',
    ])
  })

  it('a byte order mark of UTF-8 and other scripts are fine', () => {
    expect(codes('\uFEFFsteps:\n  - a: "Grüße 你好 🚀 {{ input.text }}"')).toEqual([])
  })
})

describe('size', () => {
  it.each<[string, () => string]>([
    ['10 MB of one text', () => `steps:\n  - a: ${'x'.repeat(10_000_000)}`],
    ['10 MB of steps', () => steps(400_000)],
    ['10 MB of comments', () => `${'# comment\n'.repeat(1_000_000)}steps: []`],
    ['10 MB of brackets', () => '['.repeat(10_000_000)],
    ['10 MB of JSON', () => JSON.stringify({ steps: Array.from({ length: 300_000 }, (_, index) => ({ [`s${index}`]: 'hi there, you' })) })],
    ['a 900 kB line of braces', () => '{'.repeat(900_000)],
    ['900 kB of indents', () => Array.from({ length: 1_300 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['nested YAML lists', () => `steps: ${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['nested JSON', () => `{"steps":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`],
    ['nested block lists', () => `steps:\n${'- '.repeat(5_000)}a`],
    ['many quotes', () => `steps: ${'"'.repeat(200_001)}`],
    ['many anchors', () => `steps:\n${Array.from({ length: 30_000 }, (_, index) => `  - &a${index} x\n`).join('')}`],
    ['many keys', () => `steps:\n  - a: { set: {${Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`).join(', ')}} }`],
    ['a long key', () => `${'k'.repeat(900_000)}: 1`],
    ['many question marks', () => `steps:\n${'? '.repeat(20_000)}a`],
  ])(
    '%s',
    (_name, text) => {
      const found = check(text())
      expect(found.length).toBeGreaterThan(0)
      expect(found.length).toBeLessThan(1_000)
    },
    LONGEST_MS,
  )

  it('an alias bomb is not expanded', () => {
    const names = 'bcdefghijklmnop'.split('')
    const lines = names.map(
      (name, index) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${index === 0 ? 'a' : names[index - 1]}`).join(', ')}]`,
    )
    const before = process.memoryUsage().heapUsed
    expect(codes(`a: &a [x, x, x, x, x, x, x, x, x, x]\n${lines.join('\n')}\nsteps: *p`).length).toBeGreaterThan(0)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200_000_000)
  })

  it('an alias to itself and one to nothing', () => {
    expect(codes('steps: &a [ *a ]').length).toBeGreaterThan(0)
    expect(codes('steps: *nothing').length).toBeGreaterThan(0)
  })

  it('a flow of 5,000 steps says how many a flow may have', () => {
    const found = check(steps(5_000))
    expect(found).toMatchObject([{ code: 'flow.too_large', message: expect.stringMatching(/5000 steps; at most 1000/) }])
  })

  it('a flow of 1,000 steps is checked', () => {
    expect(codes(steps(1_000))).toEqual([])
  })

  it('a flow of 5,000 wrong steps does not print 5,000 pages', () => {
    expect(check(`steps:\n${'  - a: { tol: x }\n'.repeat(5_000)}`).length).toBeGreaterThan(0)
  })

  it('one expression, prompt, schema or name that is huge', () => {
    const huge = 'x'.repeat(500_000)
    for (const text of [
      `steps:\n  - a: { set: "=${huge}" }`,
      `steps:\n  - a: { set: "=${'('.repeat(100_000)}" }`,
      `steps:\n  - a: { set: "=${'1+'.repeat(100_000)}1" }`,
      `steps:\n  - ${huge}: hi`,
      `steps:\n  - a: "${'{{ '.repeat(100_000)}"`,
      `steps:\n  - a: hi\n    ${huge}: 1`,
      `steps:\n  - a: { prompt: hi, timeout: ${'9'.repeat(100_000)}s }`,
      `steps:\n  - a: { prompt: hi, returns: ${'{ a: '.repeat(2_000)}string${' }'.repeat(2_000)} }`,
    ])
      expect([text.slice(0, 40), check(text).length > 0]).toEqual([text.slice(0, 40), true])
  })
})

describe('references in circles', () => {
  it('a flow that starts itself', () => {
    expect(codes('flow: a/b@1.0.0\nsteps:\n  - again: { flow: a/b, with: { x: 1 } }')).toContain('flow.cycle')
  })

  it('schemas that refer to each other', () => {
    const files = new Map([
      ['schemas/a@1.json', '{"type":"object","properties":{"b":{"$ref":"b@1"}}}'],
      ['schemas/b@1.json', '{"type":"object","properties":{"a":{"$ref":"a@1"}}}'],
    ])
    expect(() => check('steps:\n  - a: { prompt: hi, returns: a@1 }', files)).not.toThrow()
    expect(() => check('schemas: { a: { x: b }, b: { x: a } }\nsteps:\n  - s: { prompt: hi, returns: a }')).not.toThrow()
  })
})
