import { describe, expect, it } from '@jest/globals'
import { checkControl } from './control.ts'
import { codesOf, treeOf } from './reading.fixture.ts'

/** What the checks of this folder say of the steps of a flow, as `line:col code`. */
const found = (text: string): readonly string[] => codesOf((report) => checkControl(treeOf(text), report))

type Row = readonly [string, string, readonly string[]]

describe('steps no run comes to', () => {
  const rows: readonly Row[] = [
    ['after a gate that always ends', 'steps:\n  - a: { tool: x, gate: [{ else: end }] }\n  - b: hi\n', ['3:5 step.unreachable']],
    ['after a gate that always fails', 'steps:\n  - a: { tool: x, gate: [{ else: fail }] }\n  - b: hi\n', ['3:5 step.unreachable']],
    [
      'jumped over by every rule',
      'steps:\n  - a: { tool: x, gate: [{ when: input.n > 1, then: c }, { else: end }] }\n  - b: hi\n  - c: hi\n',
      ['3:5 step.unreachable'],
    ],
    [
      'only the first of several is named',
      'steps:\n  - a: { tool: x, gate: [{ else: end }] }\n  - b: hi\n  - c: hi\n  - d: hi\n',
      ['3:5 step.unreachable'],
    ],
    [
      'after a switch whose every case leaves',
      'input: { k: a | b }\nsteps:\n  - s: { switch: =input.k, cases: { a: end, b: fail } }\n  - c: hi\n',
      ['4:5 step.unreachable'],
    ],
    [
      'after a body that ends the run in every branch',
      'input: { k: a | b }\nsteps:\n  - s: { switch: =input.k, cases: { a: { tool: x, then: end }, b: { do: [{ d: hi }], then: fail } } }\n  - c: hi\n',
      ['4:5 step.unreachable'],
    ],
    ['with a condition that is always false', 'steps:\n  - a: { tool: x, when: false }\n  - b: hi\n', ['2:5 step.unreachable']],
    [
      'inside a do',
      'steps:\n  - a:\n      tool: x\n      gate:\n        - else:\n            do:\n              - b: { tool: y, gate: [{ else: end }] }\n              - c: hi\n',
      ['8:17 step.unreachable'],
    ],
    [
      'a rule behind a condition that always holds',
      'steps:\n  - a:\n      tool: x\n      gate:\n        - { when: true, then: next }\n        - { else: end }\n',
      ['6:11 rule.unreachable'],
    ],
    [
      'a rule whose condition never holds',
      'steps:\n  - a:\n      tool: x\n      gate:\n        - { when: "!true", then: end }\n        - { else: next }\n',
      ['5:11 rule.unreachable'],
    ],
    [
      'a switch that always takes its first rule',
      'steps:\n  - a:\n      switch:\n        - { when: (true), then: end }\n        - { else: next }\n  - b: hi\n',
      ['5:11 rule.unreachable', '6:5 step.unreachable'],
    ],
  ]
  it.each(rows)('%s', (_title, text, codes) => {
    expect(found(text)).toEqual(codes)
  })

  it.each([
    ['a gate that may go on', 'steps:\n  - a: { tool: x, gate: [{ when: input.n > 1, then: next }, { else: end }] }\n  - b: hi\n'],
    ['a handler that goes on where the gate ends', 'steps:\n  - a: { tool: x, onError: next, gate: [{ else: end }] }\n  - b: hi\n'],
    ['a jump to the very step', 'steps:\n  - a: { tool: x, gate: [{ else: c }] }\n  - c: hi\n'],
    [
      'a step that is jumped over by one rule and met by another',
      'steps:\n  - a: { tool: x, gate: [{ when: input.n > 1, then: c }, { else: next }] }\n  - b: hi\n  - c: hi\n',
    ],
    [
      'a step that may be skipped before it ends the run',
      'steps:\n  - a: { tool: x, when: input.n > 1, gate: [{ else: end }] }\n  - b: hi\n',
    ],
    ['a handler of the flow that resumes there', 'steps:\n  - a: { tool: x, gate: [{ else: end }] }\n  - b: hi\nonError: b\n'],
    ['a condition that always holds on a step', 'steps:\n  - a: { tool: x, when: true }\n  - b: hi\n'],
    ['the last step may end the run', 'steps:\n  - a: { tool: x, gate: [{ else: end }] }\n'],
    [
      'a switch with a case that goes on',
      'input: { k: a | b }\nsteps:\n  - s: { switch: =input.k, cases: { a: end, b: next } }\n  - c: hi\n',
    ],
    [
      'a retry before the else',
      'steps:\n  - a: { tool: x, gate: [{ when: true, then: { retry: { attempts: 2 } } }, { else: next }] }\n  - c: hi\n',
    ],
  ])('C2: but not %s', (_title, text) => {
    expect(found(text)).toEqual([])
  })
})

describe('what cannot be taken back', () => {
  const rows: readonly Row[] = [
    ['without a person', 'steps:\n  - pay: { tool: x, effect: irreversible }\n', ['2:29 effect.unapproved']],
    ['with a person afterwards', 'steps:\n  - pay: { tool: x, effect: irreversible }\n  - ok: { human: q }\n', ['2:29 effect.unapproved']],
    [
      'with a person only where the confidence is low',
      'steps:\n  - a:\n      tool: x\n      gate:\n        - { when: it.sum > 10, then: { human: q } }\n        - { else: next }\n  - pay: { tool: y, effect: irreversible }\n',
      ['7:29 effect.unapproved'],
    ],
    [
      'with a person who may be skipped',
      'steps:\n  - ok: { human: q, when: input.sum > 10 }\n  - pay: { tool: y, effect: irreversible }\n',
      ['3:29 effect.unapproved'],
    ],
    [
      'when nobody answers and the run goes on',
      'steps:\n  - ok: { human: q, onError: next }\n  - pay: { tool: y, effect: irreversible }\n',
      ['3:29 effect.unapproved'],
    ],
    [
      'jumped to past the person',
      'steps:\n  - a: { tool: x, gate: [{ when: it.n > 1, then: pay }, { else: next }] }\n  - ok: { human: q }\n  - pay: { tool: y, effect: irreversible }\n',
      ['4:29 effect.unapproved'],
    ],
    [
      'in one case of a switch',
      'input: { k: a | b }\nsteps:\n  - s:\n      switch: =input.k\n      cases:\n        a: { human: q }\n        b: { tool: y, effect: irreversible }\n',
      ['7:31 effect.unapproved'],
    ],
    ['in the handler of a flow', 'steps:\n  - ok: { human: q }\nonError: { tool: y, effect: irreversible }\n', ['3:29 effect.unapproved']],
    [
      'resumed by the handler of the flow',
      'steps:\n  - ok: { human: q }\n  - pay: { tool: y, effect: irreversible }\nonError: pay\n',
      ['3:29 effect.unapproved'],
    ],
    [
      'under a condition that asks that there was no person',
      'steps:\n  - ok: { human: q, when: input.sum > 10 }\n  - pay: { tool: y, effect: irreversible, when: ok == null || ok.yes }\n',
      ['3:29 effect.unapproved'],
    ],
  ]
  it.each(rows)('%s', (_title, text, codes) => {
    expect(found(text)).toEqual(codes)
  })

  it.each([
    [
      'a person before it',
      'steps:\n  - ok: { human: q, gate: { when: it.yes, then: next, else: end } }\n  - pay: { tool: y, effect: irreversible }\n',
    ],
    ['a person before it, some steps ago', 'steps:\n  - ok: { human: q }\n  - b: hi\n  - pay: { tool: y, effect: irreversible }\n'],
    [
      'a person on each way',
      'steps:\n  - a:\n      tool: x\n      gate:\n        - { when: it.sum > 10, then: { human: senior } }\n        - { else: { human: q } }\n  - pay: { tool: y, effect: irreversible }\n',
    ],
    [
      'a condition that needs the answer of the person',
      'steps:\n  - ok: { human: q, when: input.sum > 10 }\n  - pay: { tool: y, effect: irreversible, when: ok.yes && input.sum < 100 }\n',
    ],
    [
      'a condition that asks whether there was a person',
      'steps:\n  - ok: { human: q, when: input.sum > 10 }\n  - pay: { tool: y, effect: irreversible, when: ok != null }\n',
    ],
    [
      'a way without a person that ends',
      'steps:\n  - a: { tool: x, gate: [{ when: it.n > 1, then: { human: q } }, { else: end }] }\n  - pay: { tool: y, effect: irreversible }\n',
    ],
    ['a write', 'steps:\n  - pay: { tool: y, effect: write }\n'],
    [
      'a person and then the deed in a do',
      'steps:\n  - a:\n      tool: x\n      gate:\n        - else:\n            do:\n              - ok: { human: q }\n              - pay: { tool: y, effect: irreversible }\n',
    ],
  ])('but not %s', (_title, text) => {
    expect(found(text)).toEqual([])
  })
})

describe('a gate on a confidence', () => {
  const gated = (body: string): string =>
    `steps:\n  - a:\n      ${body}\n      gate: [{ when: it.confidence > 0.5, then: next }, { else: fail }]\n`

  it.each([
    ['that "returns" does not have', 'prompt: hi\n      returns: { text: string }', ['5:22 gate.no_confidence']],
    ['of a plain text', 'prompt: hi', ['4:22 gate.no_confidence']],
    ['of passages', 'retrieve: help\n      with: { query: hi }', ['5:22 gate.no_confidence']],
    ['of a value without it', 'set: { sum: 1 }', ['4:22 gate.no_confidence']],
    ['of a tool with a known output', 'tool: x\n      returns: { sum: number }', ['5:22 gate.no_confidence']],
    ['of an enum', 'tool: x\n      returns: a | b', ['5:22 gate.no_confidence']],
  ])('%s', (_title, body, codes) => {
    expect(found(gated(body))).toEqual(codes)
  })

  it.each([
    ['that "returns" has', 'prompt: hi\n      returns: { text: string, confidence: 0..1 }'],
    ['of a tool that does not say', 'tool: x'],
    ['of a person', 'human: q'],
    ['of a value that has one', 'set: { confidence: 0.4 }'],
    ['of a value from elsewhere', 'set: =input.draft'],
    ['of an open object', 'prompt: hi\n      returns: { type: object, properties: {}, additionalProperties: true }'],
  ])('but not %s', (_title, body) => {
    expect(found(gated(body))).toEqual([])
  })

  const sure = (more: string): string =>
    `agents:\n  helper: { model: m, prompt: hi, limits: { turns: 3 }, minConfidence: 0.6, fallback: fail${more} }\nsteps:\n  - a: { agent: helper }\n`

  it.each([
    ['an agent that must be sure and does not say how sure it is', sure(', returns: { text: string }'), ['4:5 gate.no_confidence']],
    ['but not one that says it', sure(', returns: { text: string, confidence: 0..1 }'), []],
    ['but not one that checks itself', sure(', returns: { text: string }, selfCheck: Is it right?'), []],
    ['but not one whose output is not known', sure(''), []],
  ])('%s', (_title, text, codes) => {
    expect(found(text)).toEqual(codes)
  })

  it('but not where the condition asks whether there is one', () => {
    const rule = "'!has(it.confidence) || it.confidence > 0.5'"
    expect(found(`steps:\n  - a: { prompt: hi, returns: { t: string }, gate: [{ when: ${rule}, then: next }, { else: fail }] }\n`)).toEqual(
      [],
    )
  })
})
