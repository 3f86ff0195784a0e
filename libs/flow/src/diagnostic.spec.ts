import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compileFlow } from './compile.ts'
import { SAMPLE_FILES } from './testing/samples.ts'

const check = (text: string, more: Readonly<Record<string, string>> = {}): readonly string[] => {
  const result = compileFlow({ files: new Map([...Object.entries(more), ['f.yaml', text]]), entry: 'f.yaml' })
  return result.diagnostics.map(
    ({ file, line, column, code, message, fix }) =>
      `${file === 'f.yaml' ? '' : file}${line}:${column} ${code} ${message}${fix === undefined ? '' : ` | ${fix}`}`,
  )
}

describe('the traps of YAML show the quoted form', () => {
  const trap = (body: string): string | undefined => check(`steps:\n  - a: ${body}\n`)[0]

  it.each([
    ['{ tool: x, when: !input.x }', 'when: "!input.x"'],
    ['{ tool: x, when: input.x ? true : false }', 'when: "input.x ? true : false"'],
    ['{ tool: x, when: size(input.a, input.b) > 1 }', 'when: "size(input.a, input.b) > 1"'],
    ['{ tool: x, when: input.a in [1, 2], retry: 2 }', 'when: "input.a in [1, 2]"'],
    ['{ tool: x, when: "refund" == input.a }', `when: '"refund" == input.a'`],
    ['{{ input.text }} in short', 'a: "{{ input.text }} in short"'],
    ['{{ input.text }}', 'a: "{{ input.text }}"'],
    ['Extract: the facts', 'a: "Extract: the facts"'],
    ['Summarise issue #12 please', '"Summarise issue #12 please", or put the comment on a line of its own'],
    ['@mention the owner', 'a: "@mention the owner"'],
    ['*starred* text', 'a: "*starred* text"'],
  ])('%s', (body, fix) => {
    expect(trap(body)).toContain(` | ${fix}`)
  })

  it('a short type with brackets inside braces', () => {
    expect(check('input: { tags: string[], n: number }\nsteps:\n  - a: hi\n')).toEqual([
      '1:22 yaml.trap brackets inside braces start a list in YAML, so this is not read as the text it looks like | tags: "string[]"',
    ])
  })

  it('but a final question mark is a word of ours', () => {
    expect(check('input: { flag: bool?, note: string? }\nsteps:\n  - a: hi\n')).toEqual([])
  })

  it('comments beside values that are no prompts are comments', () => {
    expect(check('steps:\n  - a:\n      tool: x # the tool\n      when: input.x > 1 # sometimes\n')).toEqual([])
  })
})

describe('golden diagnostics', () => {
  const golden: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'a misspelt key',
      'stpes:\n  - a: hi\n',
      [
        '1:1 flow.missing_key a flow needs steps | steps:\n  - facts: Extract the facts from {{ input.text }}',
        '1:1 flow.unknown_key a flow has no key "stpes"; did you mean "steps"? | steps',
      ],
    ],
    [
      'a step without indentation',
      'steps:\n  - a:\n    tool: x\n',
      ['3:5 flow.wrong_type a step has one name; "tool" stands beside "a" | indent "tool" and what follows below "a:"'],
    ],
    [
      'two kinds in one step',
      'steps:\n  - a: { tool: x, task: y }\n',
      ['2:19 flow.wrong_type a step does one thing; this one has "tool" and "task"'],
    ],
    [
      'a name that CEL would read as a subtraction',
      'steps:\n  - my-step: hi\n',
      ['2:5 name.invalid the step name "my-step" must be a word of letters, digits and _, so that expressions can use it | my_step'],
    ],
    [
      'a reserved name',
      'steps:\n  - input: hi\n',
      ['2:5 name.reserved "input" has a meaning of its own in expressions; give the step another name | input_step'],
    ],
    ['the same name twice', 'steps:\n  - a: hi\n  - a: hi\n', ['3:5 name.duplicate there is a step "a" already, in line 2 | a_2']],
    [
      'a bare number for a duration',
      'limits: { time: 60 }\nsteps:\n  - a: hi\n',
      ['1:17 literal.duration limits.time must be a duration like 500ms, 5s, 120m, 2h or 7d, not the number 60 | 60s'],
    ],
    [
      'a bare number for money',
      'limits: { cost: 0.05 }\nsteps:\n  - a: hi\n',
      ['1:17 literal.money limits.cost must be an amount like 0.05 USD, not the number 0.05 | 0.05 USD'],
    ],
    [
      'a default out of range',
      'params: { p: { type: number, default: 2, max: 1 } }\nsteps:\n  - a: hi\n',
      ['1:39 literal.range the default of param "p" is 2, above its maximum 1'],
    ],
    [
      'an unknown input field',
      'input: { text: string }\nsteps:\n  - a: { tool: x, with: { q: =input.txt } }\n',
      ['3:37 reference.unknown the input has no field "txt"; did you mean "text"? | declare it: input: { txt: string }'],
    ],
    [
      'an unknown field in a prompt',
      'input: { text: string }\nsteps:\n  - a: Say {{ input.txt }}\n',
      ['3:21 reference.unknown the input has no field "txt"; did you mean "text"? | declare it: input: { txt: string }'],
    ],
    [
      'an unknown param',
      'params: { send: { type: number, default: 1 } }\nsteps:\n  - a: { tool: x, when: params.sent > 1 }\n',
      ['3:32 reference.unknown there is no param "sent"; did you mean "send"?'],
    ],
    [
      'a misspelt step',
      'steps:\n  - facts: hi\n  - b: Summarise {{ fact }}\n',
      ['3:21 reference.unknown there is no step, input or param "fact"; did you mean "facts"?'],
    ],
    [
      'a step that comes later',
      'steps:\n  - a: Say {{ b }}\n  - b: hi\n',
      ['2:15 reference.later "b" (line 3) does not come before this in the same block, so it has no output here'],
    ],
    [
      'a step that asks for itself',
      'steps:\n  - a: { tool: x, with: { q: =a } }\n',
      ['2:31 reference.later "a" is this step itself; it has no output yet'],
    ],
    [
      'the name of the step in its own gate',
      'steps:\n  - a: { tool: x, gate: { when: a.ok, then: next, else: fail } }\n',
      ['2:33 reference.later inside the gate of "a" its output is called "it" | it'],
    ],
    [
      'it outside a gate',
      'steps:\n  - a: { tool: x, when: it.ok }\n',
      ['2:25 reference.unknown "it" is the output a gate or a loop looks at; there is none here'],
    ],
    [
      'fault outside an error handler',
      'steps:\n  - a: hi\noutput: =fault.code\n',
      ['3:10 reference.unknown "fault" is what an error handler looks at; there is none here'],
    ],
    [
      'a forgotten mark',
      'steps:\n  - a: { switch: input.x, cases: { b: next }, else: next }\n',
      ['2:18 flow.wrong_type switch must be an expression; without "=" this is the literal text "input.x" | =input.x'],
    ],
    ['broken CEL', `steps:\n  - a: { tool: x, when: 'input.a &&' }\n`, ['2:36 expression.syntax Unexpected token: EOF']],
    [
      'an unknown function',
      'steps:\n  - a: { tool: x, when: input.a > 1 && sizeof(input) > 2 }\n',
      [`2:40 expression.invalid found no matching overload for 'sizeof(dyn)'`],
    ],
    [
      'types that can never fit',
      `steps:\n  - a: { tool: x, when: '"a" + 1 == input.b' }\n`,
      ['2:26 expression.invalid no such overload: string + int'],
    ],
    [
      'a gate without else',
      'steps:\n  - a: { tool: x, gate: [ { when: it.ok, then: next } ] }\n',
      ['2:27 gate.incomplete the gate of "a" has no else | - { else: fail }'],
    ],
    [
      'a gate that only asks again',
      'steps:\n  - a: { tool: x, gate: [ { else: { retry: { attempts: 2 } } } ] }\n',
      ['2:27 gate.incomplete the gate of "a" says what happens first, but not when the retries are used up | - { else: fail }'],
    ],
    [
      'a rule behind the else',
      'steps:\n  - a: { tool: x, gate: [ { else: next }, { when: it.ok, then: end } ] }\n',
      ['2:43 rule.unreachable no rule after the else is ever looked at'],
    ],
    [
      'a switch on ranges without else',
      'steps:\n  - a: { switch: [ { when: input.n > 1, then: next } ] }\n',
      ['2:20 switch.incomplete the switch of "a" has no else | - { else: fail }'],
    ],
    [
      'a case that is missing',
      'input: { k: a | b }\nsteps:\n  - s: { switch: =input.k, cases: { a: next } }\n',
      ['3:5 switch.incomplete this switch has no case for b, and no else | b: …, or else: …'],
    ],
    [
      'a case that never comes',
      'input: { k: refund | other }\nsteps:\n  - s: { switch: =input.k, cases: { refnd: next, other: end }, else: end }\n',
      ['3:37 rule.unreachable input.k is never "refnd"; it is one of refund, other; did you mean "refund"?'],
    ],
    [
      'a switch on something undeclared',
      'steps:\n  - s: { switch: =input.k, cases: { a: next } }\n',
      ['2:5 switch.incomplete what input.k can be is not declared, so this switch needs an else | else: fail'],
    ],
    [
      'a jump to nowhere',
      'steps:\n  - a: { tool: x, onError: lst }\n  - last: hi\n',
      ['2:28 jump.unknown there is no step "lst"; did you mean "last"? | one of: next, end, fail, last'],
    ],
    [
      'a jump back',
      'steps:\n  - a: hi\n  - b: { tool: x, onError: a }\n',
      ['3:28 jump.backward "a" does not come after this step in the same block; a jump leads forward | next, end or fail'],
    ],
    ['a prompt file that is missing', 'steps:\n  - a: { prompt: greet@2 }\n', ['2:18 prompt.unknown there is no file prompts/greet@2.md']],
    [
      'a schema file that is missing',
      'steps:\n  - a: { prompt: hi, returns: ans@1 }\n',
      ['2:31 schema.unknown there is no file schemas/ans@1.json or .yaml'],
    ],
    [
      'a type that is none',
      'input: { text: strng }\nsteps:\n  - a: hi\n',
      [
        '1:16 schema.invalid "strng" is not a type; types are string, text, number, integer, int, boolean, bool, object, list, ranges 0..1 and words with bars a | b; did you mean "string"? | for the one value write { const: strng }',
      ],
    ],
    [
      'a slot that with does not fill',
      'steps:\n  - a: { prompt: "Say {{ txt }}", with: { text: =input.text } }\n',
      ['2:26 prompt.slot_unknown the prompt asks for {{ txt }}, and "with" of the step has no "txt"; did you mean "text"?'],
    ],
    [
      'an expression in a slot',
      'steps:\n  - a: Say {{ input.x | upper }}\n',
      ['2:12 prompt.malformed "input.x | upper" is not a path like input.text; slots are filled with data and hold no expressions'],
    ],
    [
      'a timeout longer than the flow',
      'limits: { time: 10s }\nsteps:\n  - a: { tool: x, timeout: 1m }\n',
      ['3:28 limit.exceeded one try may take 60000 ms, but the whole flow has 10000 ms (limits.time)'],
    ],
    [
      'more time for people than the flow has',
      'limits: { time: 10s, total: 1h }\nsteps:\n  - a: { human: { queue: q, sla: 2h } }\n',
      ['3:34 limit.exceeded people have 7200000 ms here, but the flow ends after 3600000 ms (limits.total)'],
    ],
    [
      'silence as consent (E5)',
      'steps:\n  - a: { human: { queue: q, onTimeout: approve } }\n',
      ['2:40 flow.wrong_type onTimeout is one of fail, escalate, not "approve"'],
    ],
    ['the same key twice', 'steps:\n  - a: { tool: x, tool: y }\n', ['2:19 yaml.syntax the same key stands here twice']],
    ['a tab', 'steps:\n\t- a: hi\n', ['2:1 yaml.syntax a tab indents this line; YAML takes spaces only']],
    ['an empty file', '', ['1:1 flow.wrong_type a flow must be a map with keys like flow, about, limits, params, not an empty value']],
  ]

  it.each(golden)('%s', (_, text, expected) => {
    expect(check(text)).toEqual(expected)
  })

  it('point into the prompt or schema file where the mistake is', () => {
    expect(
      check('steps:\n  - a: { prompt: p@1, with: { text: =input.text }, returns: s@1 }\n', {
        'prompts/p@1.md': '---\nsystem: You are {{ who }}\n---\n\nSay {{ text }} and\n  {{ txet }}\n',
        'schemas/s@1.yaml': 'kind: a | b\nscore: 0.1\n',
      }),
    ).toEqual([
      'schemas/s@1.yaml2:8 schema.invalid "0.1" is not a type; types are string, text, number, integer, int, boolean, bool, object, list, ranges 0..1 and words with bars a | b',
    ])
    expect(
      check('steps:\n  - a: { prompt: p@1, with: { text: =input.text } }\n', {
        'prompts/p@1.md': '---\nsystem: You are {{ who }}\n---\n\nSay {{ text }} and\n  {{ txet }}\n',
      }),
    ).toEqual([
      'prompts/p@1.md2:20 prompt.slot_unknown the prompt asks for {{ who }}, and "with" of the step has no "who"',
      'prompts/p@1.md6:6 prompt.slot_unknown the prompt asks for {{ txet }}, and "with" of the step has no "txet"; did you mean "text"?',
    ])
  })

  it('point into a JSON Schema', () => {
    const schema = '{ "type": "object",\n  "properties": { "a": { "type": "strin" }, "b": "string" },\n  "required": "a" }\n'
    expect(check('steps:\n  - a: { tool: x, returns: s@1 }\n', { 'schemas/s@1.json': schema })).toEqual([
      'schemas/s@1.json2:34 schema.invalid the text "strin" is not a JSON type; types are string, number, integer, boolean, object, array, null; did you mean "string"?',
      'schemas/s@1.json2:50 schema.invalid a JSON Schema is a map, true or false, not the text "string" | type: string',
      'schemas/s@1.json3:15 schema.invalid "required" must be a list of names',
    ])
  })

  it('point into block text, line by line', () => {
    expect(check('steps:\n  - a: |\n      First line\n      then {{ nobody }}\n')).toEqual([
      '4:15 reference.unknown there is no step, input or param "nobody"',
    ])
  })
})

describe('documents', () => {
  it('Y2: are bounded in size, depth and nodes, aliases expanded', () => {
    expect(check(`steps:\n  - a: ${'x'.repeat(1_000_001)}`)[0]).toContain('flow.too_large')
    expect(check(`output: ${'['.repeat(70)}1${']'.repeat(70)}\nsteps:\n  - a: hi\n`)[0]).toContain('flow.too_large')
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      'b: &b [*a,*a,*a,*a,*a,*a,*a,*a]',
      'c: &c [*b,*b,*b,*b,*b,*b,*b,*b]',
      'd: &d [*c,*c,*c,*c,*c,*c,*c,*c]',
      'e: [*d,*d,*d,*d,*d,*d,*d,*d]',
    ]
    expect(check(`output:\n  ${bomb.join('\n  ')}\nsteps:\n  - a: hi\n`)[0]).toContain('flow.too_large')
  })

  it('Y1: a warning of the parser is an error', () => {
    expect(check('steps:\n  - a: !important hi\n')[0]).toContain('yaml.trap')
  })

  it('may use anchors', () => {
    expect(check('steps:\n  - a: { tool: x, retry: &often { attempts: 5 } }\n  - b: { tool: y, retry: *often }\n')).toEqual([])
  })

  it('D2: diagnostics come in the order of the file, each once', () => {
    const places = check('steps:\n  - b: { tool: x, timeout: 5, retry: 99 }\n  - a-b: hi\nlimits: { time: 1 }\n').map(
      (line) => line.split(' ')[0],
    )
    expect(places).toEqual(['2:28', '2:38', '3:5', '4:17'])
  })
})

describe('any text at all', () => {
  const entries = [...SAMPLE_FILES.keys()]
  const edit = fc.record({
    file: fc.constantFrom(...entries),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 30 }),
    put: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('{{', '}}', '!', ' #', ': ', '[', '=', '"', '\n', '  ', '- ', '*a', '&a ', '\t', 'then', 'input.', '0', '?', '<<: '),
    ),
  })

  it('D1: never makes the compiler throw, and every diagnostic points into an existing line and column', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.constantFrom('chain.yaml', 'support/flow.yaml'), (edits, entry) => {
        const files = new Map(SAMPLE_FILES)
        for (const { file, at, cut, put } of edits) {
          const text = files.get(file) ?? ''
          const index = Math.floor(at * text.length)
          files.set(file, text.slice(0, index) + put + text.slice(index + cut))
        }
        const result = compileFlow({ files, entry })
        expect(result.ok).toBe(result.diagnostics.length === 0)
        for (const { file, line, column, message } of result.diagnostics) {
          const row = (files.get(file) ?? '').split('\n')[line - 1]
          expect(row).toBeDefined()
          expect(column).toBeGreaterThanOrEqual(1)
          expect(column).toBeLessThanOrEqual((row ?? '').length + 1)
          expect(message).not.toBe('')
        }
      }),
      { numRuns: 300 },
    )
  })
})
