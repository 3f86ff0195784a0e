// Flows that between them use every word the engine knows.
import { programOf } from '@baton/engine/testing'
import type { Program } from '@baton/flow/program'

const TEXTS = [
  `
flow: sim/chain@1.0.0
input: { text: string }
steps:
  - facts: Extract the facts from {{ input.text }}
  - check: { tool: text/check, with: { facts: =facts } }
  - summary: Summarise {{ facts }}
`,
  `
flow: sim/support@1.0.0
limits: { time: 90s, total: 6h, cost: 0.003 USD, steps: 14 }
params: { send: { type: number, default: 0.7 } }
input: { text: string }
steps:
  - classify:
      model: [small, large]
      prompt: 'Classify {{ input.text }}'
      returns: { intent: string, confidence: number }
      timeout: 2s
      retry: { attempts: 2, backoff: exponential }
      onError: { set: { intent: unknown, confidence: 0 }, then: next }
  - facts:
      switch: =classify.intent
      cases:
        refund: { tool: billing/status, timeout: 3s }
        technical: { do: [ { found: { retrieve: help, with: { query: =input.text } } }, { tried: { task: diagnose, with: { found: =found } } } ] }
      else: { human: { queue: support, priority: low, sla: 30m } }
      onError: next
  - answer:
      prompt: 'Answer {{ input.text }}'
      returns: { text: string, confidence: number }
      timeout: 4s
      gate:
        - { when: it.confidence >= params.send, then: next }
        - { when: it.confidence >= 0.4, then: { human: { queue: support, priority: high, sla: 20m, onTimeout: escalate } } }
        - { when: it.confidence >= 0.2, then: { retry: { attempts: 2, model: [large] } } }
        - { when: it.confidence >= 0.1, then: end }
        - { else: fail }
  - mail: { when: 'classify.confidence > 0.3', tool: mail/send, with: { text: =answer.text, by: =answer.by } }
onError: { tool: ops/log, with: { code: =fault.code } }
output: { text: =answer.text, by: =answer.by }
results: { topic: support.results }
`,
  `
flow: sim/approval@1.0.0
limits: { time: 20s, total: 2h }
input: { text: string }
steps:
  - draft: { prompt: 'Draft {{ input.text }}', onError: { retry: { attempts: 1, model: [large] } } }
  - approve: { human: { queue: legal, priority: normal, sla: 10m }, with: { draft: =draft } }
  - send: { tool: mail/send, with: { what: =approve }, effect: irreversible }
`,
  `
flow: sim/long@1.0.0
limits: { steps: 400 }
input: { text: string }
steps:
${Array.from({ length: 300 }, (_, index) => `  - s${index}: { set: { n: ${index} } }`).join('\n')}
  - last: { tool: text/last, with: { n: =s299.n } }
`,
]

/** Programs of the simulation, by plan hash. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map(TEXTS.map(programOf).map((program) => [program.plan.hash, program]))

/** What clients ask for: the richest flow most often, the longest seldom. */
const [CHAIN, SUPPORT, APPROVAL, LONG] = [...PROGRAMS.values()]
export const FLOWS: readonly Program[] = [CHAIN, CHAIN, SUPPORT, SUPPORT, SUPPORT, SUPPORT, APPROVAL, APPROVAL, LONG].filter(
  (program) => program !== undefined,
)
