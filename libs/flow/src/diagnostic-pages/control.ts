// Pages of what a run may do as a whole: where it comes to, what it may use up, what it must not do unasked.
import type { DiagnosticPage } from './page.ts'

const TWO_BRANCHES =
  'steps:\n  - both:\n      parallel:\n        left: Shorten {{ input.text }}\n        right: Summarise {{ input.text }}\n'
const DRAFT = '      do:\n        - draft: { prompt: "Improve {{ input.text }}", returns: { text: string, score: 0..1 } }\n'
const PAY = '  - pay:\n      tool: bank/transfer\n      effect: irreversible\n      with: { text: =input.text }\n'
const DRAFTS =
  'steps:\n  - facts: { prompt: "Extract the facts from {{ input.text }}", budget: 0.04 USD }\n  - short: { prompt: "Shorten {{ facts }}", budget: 0.04 USD }\n'
const CHAIN =
  'steps:\n  - facts: { tool: kb/lookup, timeout: 15s, with: { text: =input.text } }\n  - log: { tool: ops/log, timeout: 15s, with: { facts: =facts } }\n'

export const CONTROL = {
  'limit.exceeded': {
    title: 'A time can never be used up',
    about:
      'A limit around it is shorter: one try, a wait or people have longer than the flow, or its total is shorter than its working time.',
    wrong: 'limits: { time: 10s }\nsteps:\n  - facts:\n      tool: kb/lookup\n      timeout: 30s\n',
    right: 'limits: { time: 60s }\nsteps:\n  - facts:\n      tool: kb/lookup\n      timeout: 30s\n',
    fix: 'Raise the limit around it, or shorten the time.',
    foundBy: 'compiler',
  },
  'time.exceeds_flow': {
    title: 'The next try comes after the end',
    about: 'A pause between tries, or the second try of a hedge, begins when the flow or the try itself is over.',
    wrong: 'limits: { time: 5s }\nsteps:\n  - facts: { tool: kb/lookup, retry: { attempts: 2, delay: 10s } }\n',
    right: 'limits: { time: 5m }\nsteps:\n  - facts: { tool: kb/lookup, retry: { attempts: 2, delay: 10s } }\n',
    fix: 'Shorten the pause, or raise `limits.time`.',
    foundBy: 'compiler',
  },
  'time.chain_exceeds_flow': {
    title: 'In the worst case the steps together take longer than the flow (warning)',
    about: 'The sum of the timeouts on the longest path, retries included, is beyond `limits.time`. Often that is meant; then leave it.',
    wrong: `limits: { time: 20s }\n${CHAIN}`,
    right: `limits: { time: 60s }\n${CHAIN}`,
    fix: 'Raise `limits.time`, shorten timeouts, or try less often.',
    foundBy: 'compiler',
  },
  'cost.exceeds_flow': {
    title: 'In the worst case the steps together cost more than the flow may (warning)',
    about: 'The budgets on the dearest path add up to more than `limits.cost`.',
    wrong: `limits: { cost: 0.05 USD }\n${DRAFTS}`,
    right: `limits: { cost: 0.10 USD }\n${DRAFTS}`,
    fix: 'Raise `limits.cost` or lower the budgets.',
    foundBy: 'compiler',
  },
  'cache.never_used': {
    title: 'A cache that no call ever uses',
    about:
      'A tool may change something unless its step says `effect: read`, and what changes something is done each time it is asked for. The cache would be of no use, and nobody would notice.',
    wrong: 'input: { id: string }\nsteps:\n  - customer: { tool: crm/customer, with: { id: =input.id }, cache: 10m }\n',
    right: 'input: { id: string }\nsteps:\n  - customer: { tool: crm/customer, effect: read, with: { id: =input.id }, cache: 10m }\n',
    fix: 'Say `effect: read` if the tool changes nothing, or remove the cache.',
    foundBy: 'compiler',
  },
  'step.unreachable': {
    title: 'No run ever comes to this step',
    about: 'Every way before it ends, fails or jumps over it, or its condition is never true.',
    wrong:
      'input: { kind: refund | technical }\nsteps:\n  - route:\n      switch: =input.kind\n      cases: { refund: end, technical: fail }\n  - log: { tool: ops/log, with: { kind: =input.kind } }\n',
    right:
      'input: { kind: refund | technical }\nsteps:\n  - route:\n      switch: =input.kind\n      cases: { refund: next, technical: fail }\n  - log: { tool: ops/log, with: { kind: =input.kind } }\n',
    fix: 'Let one outcome lead to it, or remove it.',
    foundBy: 'compiler',
  },
  'join.impossible': {
    title: 'The join can never be complete',
    about: 'It waits for more branches than there are, or for one that never comes to an end.',
    wrong: `${TWO_BRANCHES}      join: { quorum: 3 }\n`,
    right: `${TWO_BRANCHES}      join: { quorum: 1 }\n`,
    fix: 'Ask for at most as many as there are.',
    foundBy: 'compiler',
  },
  'cap.missing': {
    title: 'There is no cap on how often this goes on',
    about: 'A loop, an agent and a team need a limit that stops them; a condition alone may never hold.',
    wrong: `steps:\n  - polish:\n      loop: { until: it.score >= 0.9 }\n${DRAFT}`,
    right: `steps:\n  - polish:\n      loop: { max: 5, until: it.score >= 0.9 }\n${DRAFT}`,
    fix: 'Add `max` to a loop, `limits: { turns, calls }` to an agent, `limits: { rounds, subtasks }` to a team.',
    foundBy: 'compiler',
  },
  'effect.unapproved': {
    title: 'Something irreversible may happen without a person in front of it',
    about: 'On some path to a step with `effect: irreversible` nobody is asked.',
    wrong: `steps:\n${PAY}`,
    right: `steps:\n  - approved:\n      human: finance\n      with: { text: =input.text }\n${PAY}`,
    fix: 'Put a `human` step in front, on every path.',
    foundBy: 'compiler',
  },
  'gate.no_confidence': {
    title: 'A confidence is asked for that nobody gives',
    about: 'The gate, or `minConfidence`, looks at a confidence that is not in what the step returns.',
    wrong:
      'steps:\n  - answer:\n      prompt: Answer {{ input.text }}\n      returns: { text: string }\n      gate: { when: it.confidence >= 0.8, then: next, else: fail }\n',
    right:
      'steps:\n  - answer:\n      prompt: Answer {{ input.text }}\n      returns: { text: string, confidence: 0..1 }\n      gate: { when: it.confidence >= 0.8, then: next, else: fail }\n',
    fix: 'Add `confidence: 0..1` to `returns`, and ask for it in the prompt.',
    foundBy: 'compiler',
  },
  'schema.incompatible': {
    title: 'The new version breaks who uses the old one',
    about: 'Compared with the version before: a field of the input became required, a field of the output is gone, a type is narrower.',
    wrong:
      'flow: demo/answer@1.1.0\ninput: { text: string, customer: string }\nsteps:\n  - answer: { prompt: "Answer {{ text }}", with: { text: =input.text } }\n',
    right:
      'flow: demo/answer@1.1.0\ninput: { text: string, customer: string? }\nsteps:\n  - answer: { prompt: "Answer {{ text }}", with: { text: =input.text } }\n',
    files: {
      'before.yaml':
        'flow: demo/answer@1.0.0\ninput: { text: string }\nsteps:\n  - answer: { prompt: "Answer {{ text }}", with: { text: =input.text } }\n',
    },
    fix: 'Make a new field optional or give it a default; or publish a new major version.',
    foundBy: 'comparison',
  },
  'secret.found': {
    title: 'There is a secret in a file',
    about: 'Files are published, packed and shown to people. Keys and tokens belong into the environment of the service that uses them.',
    wrong: 'steps:\n  - facts: Call the API with AKIAQ3EGRTY7UIOPA2DF for {{ input.text }}\n',
    right: 'steps:\n  - facts: { tool: partner/lookup, with: { text: =input.text } }\n',
    fix: 'Take it out, revoke it, and give the new one to the tool by its environment.',
    foundBy: 'compiler',
  },
  'trigger.invalid': {
    title: 'The trigger never fires as it is',
    about: 'A time that never comes, a zone that does not exist, a path without its `/`, or two kinds in one.',
    wrong: 'triggers:\n  - { schedule: "99 6 * * *", zone: Europe/Berlin }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    right: 'triggers:\n  - { schedule: "0 6 * * *", zone: Europe/Berlin }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Correct what is named: a schedule has minute, hour, day, month and weekday.',
    foundBy: 'compiler',
  },
} as const satisfies { readonly [code: string]: DiagnosticPage }
