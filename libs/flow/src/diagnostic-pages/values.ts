// Pages of values that do not fit, and of decisions that leave something open.
import type { DiagnosticPage } from './page.ts'

const ANSWER = 'steps:\n  - answer:\n      prompt: Answer {{ input.text }}\n      returns: { text: string, confidence: 0..1 }\n'
const CLASSIFY =
  'steps:\n  - classify:\n      prompt: Classify {{ input.text }}\n      returns: { intent: refund | technical, confidence: 0..1 }\n'

export const VALUES = {
  'type.mismatch': {
    title: 'A value of this type cannot be used so',
    about: 'The types follow from the schemas of the input, the params and what each step returns.',
    wrong: `${CLASSIFY}  - log:\n      when: classify.intent > 0.5\n      tool: ops/log\n`,
    right: `${CLASSIFY}  - log:\n      when: classify.confidence > 0.5\n      tool: ops/log\n`,
    fix: 'Use the field that was meant, or convert: `string(x)`, `double(x)`, `size(x)`.',
    foundBy: 'compiler',
  },
  'type.nullable': {
    title: 'The value may be null, or missing',
    about: 'A skipped step gives null, an optional field may not be there, a branch that was not waited for has no output.',
    wrong: 'input: { ticket: string? }\nsteps:\n  - log:\n      when: input.ticket.startsWith("T-")\n      tool: ops/log\n',
    right:
      'input: { ticket: string? }\nsteps:\n  - log:\n      when: has(input.ticket) && input.ticket.startsWith("T-")\n      tool: ops/log\n',
    fix: 'Look first: `has(x.y) && …`, `x != null && …`, or `"=x == null ? … : x.y"`.',
    foundBy: 'compiler',
  },
  'type.enum_value': {
    title: 'The value is none of those it can be',
    about: 'A comparison with a word that is not in the enum is never true.',
    wrong: `${CLASSIFY}  - log:\n      when: classify.intent == "refnd"\n      tool: ops/log\n`,
    right: `${CLASSIFY}  - log:\n      when: classify.intent == "refund"\n      tool: ops/log\n`,
    fix: 'Write the word that is suggested, or add it to the enum.',
    foundBy: 'compiler',
  },
  'type.unknown_field': {
    title: 'There is no such field',
    about: 'What the step returns has no field of this name.',
    wrong: `${ANSWER}  - log:\n      when: answer.confidance > 0.5\n      tool: ops/log\n`,
    right: `${ANSWER}  - log:\n      when: answer.confidence > 0.5\n      tool: ops/log\n`,
    fix: 'Write the field that is suggested, or add it to `returns`.',
    foundBy: 'compiler',
  },
  'expression.cost': {
    title: 'The expression may take too long',
    about: 'Lists inside lists multiply: what is quick with ten items takes minutes with a thousand.',
    wrong:
      'input:\n  a: string[]\n  b: string[]\n  c: string[]\nsteps:\n  - log:\n      when: input.a.all(x, input.b.all(y, input.c.all(z, x == y && y == z)))\n      tool: ops/log\n',
    right: 'input:\n  a: string[]\n  b: string[]\nsteps:\n  - log:\n      when: input.a.all(x, x in input.b)\n      tool: ops/log\n',
    fix: 'Bound the lists with `maxItems`, use `in`, or let a tool do the work.',
    foundBy: 'compiler',
  },
  'switch.incomplete': {
    title: 'The switch leaves values open',
    about: 'A switch over an enum has a case for each value, or an `else`; over anything else it needs the `else`.',
    wrong:
      'input: { kind: refund | technical | other }\nsteps:\n  - route:\n      switch: =input.kind\n      cases: { refund: next, technical: end }\n',
    right:
      'input: { kind: refund | technical | other }\nsteps:\n  - route:\n      switch: =input.kind\n      cases: { refund: next, technical: end }\n      else: fail\n',
    fix: 'Add the case that is named, or an `else`.',
    foundBy: 'compiler',
  },
  'gate.incomplete': {
    title: 'The gate leaves open what happens else',
    about: 'The last rule of a gate is an `else` that ends the decision; a retry alone says nothing about when it is used up.',
    wrong: `${ANSWER}      gate:\n        - { when: it.confidence >= 0.8, then: next }\n`,
    right: `${ANSWER}      gate:\n        - { when: it.confidence >= 0.8, then: next }\n        - { else: fail }\n`,
    fix: 'Add `- { else: … }`.',
    foundBy: 'compiler',
  },
  'rule.unreachable': {
    title: 'The rule is never looked at',
    about: 'It stands behind an `else`, its condition can never hold, or its case is none of the values there are.',
    wrong: `${ANSWER}      gate:\n        - { else: next }\n        - { when: it.confidence < 0.5, then: fail }\n`,
    right: `${ANSWER}      gate:\n        - { when: it.confidence < 0.5, then: fail }\n        - { else: next }\n`,
    fix: 'Put the `else` last; remove what can never be.',
    foundBy: 'compiler',
  },
  'jump.unknown': {
    title: 'There is no step to jump to',
    about: 'An outcome is `next`, `end`, `fail`, the name of a later step of the same block, a retry, or a step.',
    wrong: `${ANSWER}      gate: { when: it.confidence >= 0.8, then: sent, else: fail }\n  - send: { tool: mail/draft, with: { text: =answer.text } }\n`,
    right: `${ANSWER}      gate: { when: it.confidence >= 0.8, then: send, else: fail }\n  - send: { tool: mail/draft, with: { text: =answer.text } }\n`,
    fix: 'Write the step that is suggested.',
    foundBy: 'compiler',
  },
  'jump.backward': {
    title: 'A jump leads back',
    about: 'Jumps lead forward within a block, so that every run comes to an end. What is repeated is a `loop` or a retry.',
    wrong:
      'steps:\n  - facts: Extract the facts from {{ input.text }}\n  - answer:\n      prompt: Answer with {{ facts }}\n      onError: facts\n',
    right:
      'steps:\n  - facts: Extract the facts from {{ input.text }}\n  - answer:\n      prompt: Answer with {{ facts }}\n      onError: next\n',
    fix: 'Use `{ retry: { attempts: 2 } }` or a `loop` with a cap.',
    foundBy: 'compiler',
  },
} as const satisfies { readonly [code: string]: DiagnosticPage }
