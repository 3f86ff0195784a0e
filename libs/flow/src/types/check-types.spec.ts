import { describe, expect, it } from '@jest/globals'
import { typeOfOutput, typeOfStep } from './ask.ts'
import { describeType } from './type.ts'
import { findings, lines, treeOf } from './types.fixture.ts'

/** Three lines that every flow below begins with; its steps begin in line 4. */
const HEAD = `input: { text: string, note: string?, n: number, tags: 'string[]', lines: { type: array, items: { type: object, properties: { sku: { type: string }, price: { type: number } }, required: [sku, price] } } }
steps:
  - classify: { model: a, prompt: hi, returns: { intent: refund | technical, confidence: 0..1, sure: boolean, label: string? } }
`
const PARAMS = `params: { send: { type: number, default: 0.8 }, tone: { type: string, default: warm }, wait: { type: duration, default: 5s } }
`
const check = (steps: string): readonly string[] => lines(HEAD + steps)
/** A step that computes one value. */
const value = (cel: string): string => `  - a: { set: '=${cel}' }\n`
/** A step that is skipped for small numbers. */
const LOOKUP = `  - lookup: { when: input.n > 1, tool: crm/find, returns: { name: string, vip: boolean } }\n`

type Row = readonly [cel: string, column: number, finding: string]

describe('types/T1: a mistake in one expression', () => {
  describe('unknown fields', () => {
    it.each<Row>([
      ['classify.intnt', 26, 'type.unknown_field classify has no field "intnt"; did you mean "classify.intent"?'],
      ['classify["confidance"]', 26, 'type.unknown_field classify has no field "confidance"; did you mean "classify.confidence"?'],
      ['has(classify.lable)', 30, 'type.unknown_field classify has no field "lable"; did you mean "classify.label"?'],
      ['input.lines[0].prise', 32, 'type.unknown_field input.lines[0] has no field "prise"; did you mean "input.lines[0].price"?'],
      ['input.lines.map(l, l.prise)', 38, 'type.unknown_field l has no field "prise"; did you mean "l.price"?'],
      ['run.tennant', 21, 'type.unknown_field run has no field "tennant"; did you mean "run.tenant"?'],
      ['{"a": 1}.b', 26, 'type.unknown_field {"a": 1} has no field "b"; it has a'],
      ['cel.bind(c, classify, c.intnt)', 41, 'type.unknown_field c has no field "intnt"; did you mean "c.intent"?'],
    ])('%s', (cel, column, finding) => {
      const [code = '', ...words] = finding.split(' ')
      expect(check(value(cel))).toEqual([`${code}@4:${column} ${words.join(' ')}`])
    })
  })

  describe('values outside an enum', () => {
    it.each<Row>([
      [
        'classify.intent == "refnd"',
        36,
        'type.enum_value classify.intent is never "refnd"; it is one of refund, technical; did you mean "refund"?',
      ],
      [
        '"tecnical" != classify.intent',
        17,
        'type.enum_value classify.intent is never "tecnical"; it is one of refund, technical; did you mean "technical"?',
      ],
      ['classify.intent in ["refund", "other"]', 47, 'type.enum_value classify.intent is never "other"; it is one of refund, technical'],
      [
        '(input.n > 1 ? "high" : "low") == "hihg"',
        51,
        'type.enum_value input.n > 1 ? "high" : "low" is never "hihg"; it is one of high, low; did you mean "high"?',
      ],
    ])('%s', (cel, column, finding) => {
      const [code = '', ...words] = finding.split(' ')
      expect(check(value(cel))).toEqual([`${code}@4:${column} ${words.join(' ')}`])
    })
  })

  describe('types that do not fit', () => {
    it.each<Row>([
      [
        'classify.intent > 0.5',
        17,
        'type.mismatch ">" needs both sides alike; classify.intent is one of refund, technical and 0.5 is a number',
      ],
      ['input.text + input.n', 30, 'type.mismatch "+" needs both sides alike; input.text is text and input.n is a number'],
      ['input.text - 1', 17, 'type.mismatch "-" needs a number; input.text is text'],
      ['-input.text', 18, 'type.mismatch "-" needs a number; input.text is text'],
      ['!input.n', 18, 'type.mismatch "!" needs true or false; input.n is a number'],
      ['input.n && classify.sure', 17, 'type.mismatch "&&" needs true or false; input.n is a number'],
      ['input.text ? 1 : 2', 17, 'type.mismatch the condition before "?" needs true or false; input.text is text'],
      ['input.n == "3"', 28, 'type.mismatch input.n is a number and "3" is text; they are never equal'],
      ['input.tags == "a"', 31, 'type.mismatch input.tags is a list (of text) and "a" is text; they are never equal'],
      ['input.tags.contains("a")', 17, 'type.mismatch contains() is for text; input.tags is a list (of text)'],
      ['input.text.contains(3)', 37, 'type.mismatch contains() needs text; 3 is a number'],
      ['classify.confidence.trim()', 17, 'type.mismatch trim() is for text; classify.confidence is a number'],
      ['size(input.n)', 22, 'type.mismatch size() needs text, a list or an object; input.n is a number'],
      ['string(input.tags)', 24, 'type.mismatch string() cannot convert input.tags, which is a list (of text)'],
      ['input.text.map(t, t)', 17, 'type.mismatch map() goes over a list; input.text is text'],
      ['input.tags.filter(t, t)', 38, 'type.mismatch filter() needs true or false; t is text'],
      ['input.n in input.text', 28, 'type.mismatch "in" needs a list; input.text is text'],
      ['input.n in input.tags', 17, 'type.mismatch input.n is a number and input.tags is text; they are never equal'],
      ['input.tags["first"]', 28, 'type.mismatch the place in a list needs a number; "first" is text'],
      ['input.text.length', 17, 'type.mismatch input.text is text and has no fields'],
      ['input.lines.price', 17, 'type.mismatch input.lines is a list (of an object) and has no fields'],
    ])('%s', (cel, column, finding) => {
      const [code = '', ...words] = finding.split(' ')
      expect(check(value(cel))).toEqual([`${code}@4:${column} ${words.join(' ')}`])
    })
  })

  describe('what may be missing or null', () => {
    it.each<Row>([
      ['input.note', 17, 'type.nullable input.note may be missing: the schema does not require it'],
      ['input.note.size() > 3', 17, 'type.nullable input.note may be missing: the schema does not require it'],
      ['input.n > 1 ? input.note : ""', 31, 'type.nullable input.note may be missing: the schema does not require it'],
      ['run.user.contains("x")', 17, 'type.nullable run.user may be null: not every run has one'],
      ['(input.n > 1 ? classify : null).intent', 18, 'type.nullable input.n > 1 ? classify : null may be null: it may be null'],
    ])('%s', (cel, column, finding) => {
      const [code = '', ...words] = finding.split(' ')
      expect(check(value(cel))).toEqual([`${code}@4:${column} ${words.join(' ')}`])
    })
  })

  it('expression.cost: a list in a list, both without a limit', () => {
    expect(check(value('input.tags.filter(t, input.tags.exists(u, u == t))'))).toEqual([
      'expression.cost@4:38 this may take 3,003,003 steps; at most 1,000,000 are allowed, and a list without a limit counts 1,000',
    ])
    expect(
      findings(
        `input: { ids: { type: list, items: string, maxItems: 100 } }\nsteps:\n${value('input.ids.all(a, input.ids.exists(b, a == b))')}`,
      ),
    ).toEqual([])
  })
})

describe('types/T1: nothing is said about what works', () => {
  it.each([
    'has(input.note) ? input.note : null',
    'has(input.note) && input.note.size() > 3',
    '!has(input.note) || input.note == "x"',
    'input.note.size() > 3 && has(input.note)',
    '!(has(input.note) && input.n > 1) ? "" : input.note',
    'run.user != null && run.user.contains("x")',
    'run.user == null ? "nobody" : run.user',
    'run.user in ["ada"] && run.user.startsWith("a")',
    'classify.intent in ["refund", "technical"]',
    'classify.by.startsWith("human:")',
    'input.n + 1 > classify.confidence * 2.0',
    'string(input.n) + input.text',
    'input.tags + ["x"] + []',
    'input.tags.map(t, t.trim()).join(",").size() % 2',
    'input.lines.filter(l, l.price > 1).map(l, l.sku)[0] == "x"',
    'input.lines.map(l, l.price > 1, l.sku).exists(s, s == input.text)',
    '[1, 2.5, input.n].exists(x, x > 2)',
    '[run.user].filter(u, u != null).map(u, u.size())',
    '[1, "a", null][0] == "a"',
    '{"a": input.text}.a.size() > 1',
    '"sku" in input.lines[0]',
    'run.labels.team == "a"',
    'timestamp("2026-01-02T03:04:05Z").getFullYear() > 2000',
    'cel.bind(c, classify, c.intent == "refund")',
    'type(input.n) == double',
    'input.n > 1 ? classify : null',
  ])('%s', (cel) => {
    expect(check(value(cel))).toEqual([])
  })

  it('what nothing declares is not judged', () => {
    const text = `steps:
  - a: { tool: crm/find }
  - b: { prompt: hi }
  - c: { set: '=a.any.thing[0].at.all + b.x * 2 > input.whatever && a.list.contains("3")' }
  - d: { when: a.ok, set: '=a.items.map(x, x.y).filter(z, z.w == "q")' }
output: { x: =a.x, y: =b.y.z }
`
    expect(lines(text)).toEqual([])
  })
})

describe('facts/F1: steps that may not have run', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'a step with a condition may be null',
      `${LOOKUP}${value('lookup.name')}`,
      ['type.nullable@5:17 lookup may be null: lookup is skipped unless input.n > 1'],
    ],
    ['passing it on is fine', `${LOOKUP}${value('lookup')}`, []],
    ['a comparison guards', `${LOOKUP}${value('lookup == null ? "" : lookup.name')}`, []],
    ['so does its own condition', `${LOOKUP}${value('input.n > 1 ? lookup.name : ""')}`, []],
    ['also as a part of another', `${LOOKUP}  - a: { when: input.n > 1 && classify.sure, set: =lookup.name }\n`, []],
    [
      'a step that ran behind it proves it',
      `${LOOKUP}  - b: { when: lookup != null, tool: crm/more }\n  - c: { when: b != null, set: =lookup.name }\n`,
      [],
    ],
    [
      'another condition does not',
      `${LOOKUP}  - a: { when: input.n > 2, set: =lookup.name }\n`,
      ['type.nullable@5:35 lookup may be null: lookup is skipped unless input.n > 1'],
    ],
    [
      'a jump leaves out what lies between',
      `  - go: { switch: [{ when: classify.sure, then: last }, { else: next }] }\n  - mid: { set: { x: 1 } }\n  - last: { set: =mid.x }\n`,
      ['type.nullable@6:19 mid may be null: go may go on with last and leave it out'],
    ],
    [
      'but not for those it leaves out as well',
      `  - go: { switch: [{ when: classify.sure, then: last }, { else: next }] }\n  - mid: { set: { x: 1 } }\n  - more: { set: =mid.x }\n  - last: { set: '=more' }\n`,
      [],
    ],
    [
      'the output knows where the flow may have ended',
      `  - mid: { prompt: hi, returns: { x: number }, gate: [{ when: it.x > 1, then: end }, { else: next }] }\n  - last: { set: { y: 1 } }\noutput: { x: =mid.x, y: =last.y }\n`,
      ['type.nullable@6:26 last may be null: the flow may end at mid'],
    ],
    [
      'a handler that goes on leaves nothing',
      `  - f: { tool: a/b, returns: { x: number }, onError: next }\n${value('f.x')}`,
      ['type.nullable@5:17 f may be null: its handler may go on with next, without an output'],
    ],
    ['one that fails does not', `  - f: { tool: a/b, returns: { x: number }, onError: { tool: ops/log } }\n${value('f.x')}`, []],
    [
      'a case that does nothing',
      `  - s: { switch: =classify.intent, cases: { refund: { set: { x: 1 } }, technical: next } }\n${value('s.x')}`,
      ['type.nullable@5:17 s may be null: a case may go on with next, without an output'],
    ],
    [
      'the handler of the flow sees what was reached',
      `  - f: { tool: a/b, returns: { x: number } }\nonError: { tool: ops/log, with: { code: =fault.code, x: =f.x } }\n`,
      ['type.nullable@5:58 f may be null: the flow may have failed before it'],
    ],
  ])('%s', (_name, steps, expected) => {
    expect(check(steps)).toEqual(expected)
  })

  it('facts/F1: a rule knows that those before it did not hold', () => {
    const gate = (first: string): readonly string[] =>
      check(
        `  - a:\n      prompt: hi\n      returns: { score: number? }\n      gate:\n        - { when: ${first}, then: next }\n        - { when: it.score > 0.5, then: next }\n        - { else: fail }\n`,
      )
    expect(gate("'!has(it.score)'")).toEqual([])
    expect(gate('classify.sure')).toEqual(['type.nullable@9:19 it.score may be missing: the schema does not require it'])
  })
})

describe('what each kind of step gives', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'a search: passages',
      `  - docs: { retrieve: help, with: { query: =input.text } }\n${value('docs.items[0].titel')}`,
      ['type.unknown_field@5:31 docs.items[0] has no field "titel"; did you mean "docs.items[0].title"?'],
    ],
    [
      'what is looked for is text',
      `  - docs: { retrieve: help, with: { query: =input.n } }\n`,
      ['type.mismatch@4:45 query is a number and must be text'],
    ],
    [
      'a check: a verdict',
      `  - c: { check: [relevance, words], with: { text: =input.text } }\n${value('c.passed')}`,
      ['type.unknown_field@5:19 c has no field "passed"; did you mean "c.pass"?'],
    ],
    [
      'a set: what its expressions give',
      `  - s: { set: { total: '=input.n + 1', who: =input.text } }\n${value('s.total.trim()')}`,
      ['type.mismatch@5:17 trim() is for text; s.total is a number'],
    ],
    [
      'a set against its schema',
      `  - s: { set: { x: =input.text, z: 1 }, returns: { x: number, y: string } }\n`,
      ['type.mismatch@4:15 y is missing; it must be text', 'type.mismatch@4:21 x is text and must be a number'],
    ],
    [
      'a switch: what all cases give',
      `  - s: { switch: =classify.intent, cases: { refund: { set: { x: 1, y: 2 } }, technical: { set: { x: 2 } } } }\n${value('s.x + s.y')}`,
      ['type.nullable@5:23 s.y may be missing: the schema does not require it'],
    ],
    [
      'a gate of a step sees the output alone',
      `  - s: { prompt: hi, returns: { x: number }, gate: [{ when: it.by == "a", then: next }, { else: fail }] }\n`,
      ['type.unknown_field@4:64 it has no field "by"; it has x, leftOut'],
    ],
    [
      'a parallel step: its branches',
      `  - p: { parallel: { left: { prompt: hi, returns: { x: number } }, right: { prompt: ho } } }\n${value('p.left.y + p.rigth')}`,
      [
        'type.unknown_field@5:24 p.left has no field "y"; it has x',
        'type.unknown_field@5:30 p has no field "rigth"; did you mean "p.right"?',
      ],
    ],
    [
      'a race: branches that may be null',
      `  - p: { parallel: { left: { prompt: hi, returns: { x: number } }, right: { prompt: ho } }, join: first }\n${value('p.left.x')}`,
      ['type.nullable@5:17 p.left may be null: the step does not wait for every branch'],
    ],
    [
      'a map: a list, and its item',
      `  - m: { map: =input.lines, as: line, each: { set: { s: =line.prise } } }\n${value('m.s')}`,
      [
        'type.unknown_field@4:63 line has no field "prise"; did you mean "line.price"?',
        'type.mismatch@5:17 m is a list (of an object) and has no fields',
      ],
    ],
    [
      'a map over no list',
      `  - m: { map: =input.text, each: { prompt: hi } }\n`,
      ['type.mismatch@4:16 map goes over a list; input.text is text'],
    ],
    [
      'a vote: a voter',
      `  - v: { vote: { voters: 3, on: =it.verdit, rule: majority }, prompt: hi, returns: { verdict: yes | no } }\n`,
      ['type.unknown_field@4:37 it has no field "verdit"; did you mean "it.verdict"?'],
    ],
    [
      'a loop: null in the first round',
      `  - l: { loop: { max: 3, until: it.score > 0.9 }, do: [{ draft: { prompt: hi, with: { before: =it.score }, returns: { score: number } } }] }\n`,
      ['type.nullable@4:96 it may be null: there is none in the first round'],
    ],
    ['a wait: null', `  - w: { wait: 10m }\n${value('w.x')}`, ['type.nullable@5:17 w is always null here']],
    [
      'an event: what it brings',
      `  - e: { wait: { event: pay/done, match: event.ordr == input.text }, returns: { order: string } }\n`,
      ['type.unknown_field@4:48 event has no field "ordr"; did you mean "event.order"?'],
    ],
    [
      'a fault: codes of the platform',
      `  - f: { tool: a/b, onError: { tool: ops/log, when: fault.code == "tool.timout" } }\n`,
      ['type.enum_value@4:67'],
    ],
  ])('%s', (_name, steps, expected) => {
    expect(check(steps).map((line, index) => (expected[index]?.includes(' ') === true ? line : (line.split(' ')[0] ?? '')))).toEqual(
      expected,
    )
  })

  it('types/T3: what a switch is on, unless the pass over decisions knows it as well', () => {
    const on = (cel: string, cases: string): readonly string[] => check(`  - s: { switch: '=${cel}', cases: { ${cases} } }\n`)
    expect(on('classify.intent', 'refnd: next, technical: next')).toEqual([])
    expect(on('input.n', 'many: next')).toEqual(['type.mismatch@4:39 input.n is a number and never "many"'])
    expect(on('input.n > 1 ? "high" : "low"', 'hgih: next')).toEqual([
      'type.enum_value@4:60 input.n > 1 ? "high" : "low" is one of high, low and never "hgih"; did you mean "high"?',
    ])
    expect(on('run.user', 'ada: next')).toEqual([
      'type.nullable@4:20 run.user may be null (not every run has one), and there is neither an else nor a case for null',
    ])
  })

  it('conditions are true or false', () => {
    expect(check('  - a: { when: input.n, prompt: hi }\n')).toEqual([
      'type.mismatch@4:16 a condition is true or false; input.n is a number',
    ])
    expect(check('  - a: { when: classify.intent, prompt: hi }\n')).toEqual([
      'type.mismatch@4:16 a condition is true or false; classify.intent is one of refund, technical',
    ])
  })

  it('params are what they say', () => {
    expect(lines(PARAMS + HEAD + value('params.tone > params.send'))).toEqual([
      'type.mismatch@5:17 ">" needs both sides alike; params.tone is text and params.send is a number',
    ])
    expect(lines(PARAMS + HEAD + value('params.wait > 1000 && classify.confidence >= params.send'))).toEqual([])
  })

  it('a trigger knows nothing of what arrives, a buffer is a list', () => {
    const text = `triggers: [{ topic: orders, when: event.total > 3, input: { id: =event.id } }]
buffers: { seen: { of: { id: string }, expires: 1m, items: 10 } }
steps:
  - a: { set: '=buffers.seen.filter(s, s.idd == "x")' }
`
    expect(lines(text)).toEqual(['type.unknown_field@4:42 s has no field "idd"; did you mean "s.id"?'])
  })
})

describe('slots of prompts', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'an unknown field',
      'hi {{ classify.intnt }}',
      ['type.unknown_field@4:34 classify has no field "intnt"; did you mean "classify.intent"?'],
    ],
    [
      'a field that may be missing',
      'hi {{ input.note }}',
      ['type.nullable@4:25 {{ input.note }} may be missing: the schema does not require it'],
    ],
    ['a field of text', 'hi {{ input.text.x }}', ['type.mismatch@4:36 {{ input.text.x }}: input.text is text and has no fields']],
    ['what is there', 'hi {{ classify.intent }} {{ input.lines.0.sku }} {{ input.whatever }}', []],
  ])('%s', (_name, prompt, expected) => {
    expect(check(`  - a: { prompt: '${prompt}' }\n`)).toEqual(expected)
  })

  it('with arguments, a slot is a path into them, and null is shown as such', () => {
    const step = (slot: string): readonly string[] =>
      check(`${LOOKUP}  - a: { prompt: 'hi {{ ${slot} }}', with: { who: =lookup, c: =classify } }\n`)
    expect(step('who.name')).toEqual([])
    expect(step('c.intnt')).toEqual(['type.unknown_field@5:27 c has no field "intnt"; did you mean "c.intent"?'])
  })
})

describe('what other tools may ask', () => {
  it('the type of a step and of the output', () => {
    const tree = treeOf(`${HEAD}  - last: { set: { total: '=input.n + 1' } }\noutput: { intent: =classify.intent, all: =last }\n`)
    const output = typeOfOutput(tree)
    expect(output.kind === 'object' ? [...output.fields].map(([name, type]) => [name, describeType(type)]) : output).toEqual([
      ['intent', 'one of refund, technical'],
      ['all', 'an object'],
    ])
    expect(typeOfStep(tree, 'last')?.kind).toBe('object')
    expect(typeOfStep(tree, 'nobody')).toBeUndefined()
  })
})
