// The flows of the design, as tests and documentation use them.

/** The smallest flow: two lines, no name, no schema. */
export const CHAIN = `steps:
  - facts: Extract the facts from {{ input.text }}
  - summary: Summarise {{ facts }}
`

/** The support product: every word of the format that decides something. */
export const SUPPORT = `flow: support/customer-support@2.0.0
limits: { time: 60s, cost: 0.05 USD, steps: 20 }
params:                              # the part a product manager edits: typed, ranged, audited, per tenant
  send: { type: number, default: 0.8, min: 0.5, max: 1 }
  review: { type: number, default: 0.5, min: 0, max: 0.8 }
input:
  ticket: string
  text: string
  sensitive: { type: boolean, default: false }
steps:
  - classify:
      model: strong                  # a route; a list is failover in that order
      prompt: classify-intent@1
      with: { text: =input.text }    # "=" starts an expression, anything else is a literal
      returns: intent@1              # intent: refund | technical | unknown, confidence: 0..1
      timeout: 5s
      retry: { attempts: 3, backoff: exponential }
  - docs:
      retrieve: help
      with: { query: =input.text, top: 5 }
      timeout: 10s
      retry: { attempts: 2, backoff: fixed }
  - facts:
      switch: =classify.intent       # exhaustive over the enum, or it needs an else
      cases:
        refund: { tool: billing/refund_status, with: { ticket: =input.ticket } }
        technical: { tool: support/diagnose, with: { text: =input.text } }
        unknown: { human: { queue: support, priority: normal, sla: 120m } }
  - answer:
      model: [gpt-large, haiku-small]
      prompt: support-answer@3
      with: { text: =input.text, docs: =docs.items, facts: =facts }
      returns: answer@1
      timeout: 8s
      gate:                          # "it" is this step's output; the first match decides
        - { when: it.confidence >= params.send, then: next }
        - { when: it.confidence >= params.review, then: { human: { queue: support, priority: normal, sla: 120m } } }
        - { when: input.sensitive, then: { human: { queue: senior, priority: emergency, sla: 30m } } }
        - { else: { human: { queue: support, priority: low, sla: 360m } } }
onError: { tool: ops/log_error }
output: { text: =answer.text, by: =answer.by }
`

/** The files of both. */
export const SAMPLE_FILES: ReadonlyMap<string, string> = new Map([
  ['chain.yaml', CHAIN],
  ['support/flow.yaml', SUPPORT],
  ['support/prompts/classify-intent@1.md', 'Which intent has this message?\n\n{{ text }}\n'],
  [
    'support/prompts/support-answer@3.md',
    '---\nsystem: Answer from the passages only.\n---\nQuestion: {{ text }}\n\n{{ docs }}\n\nKnown facts: {{ facts }}\n',
  ],
  ['support/schemas/intent@1.yaml', 'intent: refund | technical | unknown\nconfidence: 0..1\n'],
  [
    'support/schemas/answer@1.json',
    '{ "type": "object", "properties": { "text": { "type": "string" }, "confidence": { "type": "number", "minimum": 0, "maximum": 1 } }, "required": ["text", "confidence"] }',
  ],
])
