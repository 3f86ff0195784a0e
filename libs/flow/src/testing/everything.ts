// One flow with every word of the format, for tests that have to see all of them.

/** Every kind of step, every field, every word at the top. */
export const EVERYTHING = `flow: shop/everything@1.0.0
about: Every word of the format at least once
labels: { team: shop }
limits: { time: 2h, total: 7d, steps: 200, cost: 5 USD, tokens: 1M, calls: 500, depth: 3 }
params:
  send: { type: number, default: 80%, min: 50%, max: 1, about: sent without a person }
input:
  text: string
  order: string
  image: { type: image, max: 10MB }
  items: { type: list, items: { name: string } }
schemas:
  intent: { kind: refund | technical, score: 0..1 }
  payment: { order: string, amount: number }
prompts:
  classify: Which kind of request is {{ text }}?
  draft: { system: You write short answers., text: "Answer {{ text }}" }
buffers:
  findings: { of: intent, expires: 10m, items: 100 }
history: { turns: 10, tokens: 2k }
agents:
  clerk:
    about: answers refunds
    model: [large, small]
    prompt: draft
    tools: [billing/refund_status]
    for: [refund]
    limits: { turns: 5, calls: 10, tokens: 20k, cost: 0.05 USD, time: 30s }
    minConfidence: 60%
    selfCheck: Is {{ it }} right?
    fallback: technician
    returns: intent
  technician:
    prompt: draft
    for: [technical]
    limits: { turns: 3 }
    handoff: [clerk]
    fallback: { human: support }
    context: { tokens: 4k, parts: [{ from: history, turns: 5 }] }
  planner: { prompt: "Split {{ input }}", limits: { turns: 2 } }
  writer: { prompt: "Join {{ input }}", limits: { turns: 2 } }
triggers:
  - { topic: tickets, key: =event.id, when: event.kind == "ticket", input: { text: =event.text, order: =event.order, image: =event.image, items: [] } }
  - { http: POST /tickets }
  - { schedule: "0 6 * * 1-5", zone: Europe/Berlin, input: =event }
  - { every: 1h }
steps:
  - classify:
      model: strong
      prompt: classify
      with: { text: =input.text }
      returns: intent
      timeout: 5s
      retry: { attempts: 3, backoff: exponential }
      failover: [{ model: small, prompt: classify, with: { text: =input.text } }, { set: { kind: technical, score: 0 } }]
      guard: [pii, { toxicity: { max: 50% } }]
      cache: { for: 10m, key: =input.text, scope: tenant }
      hedge: { after: 500ms, max: 2 }
      budget: { cost: 0.01 USD, tokens: 2k }
      media: =input.image
      writes: findings
      context: { tokens: 6k, parts: [{ name: items, from: =input.items, priority: 1, cut: never }, { buffer: findings, tokens: 1k, cut: summary }] }
      onLimit: fail
  - signals:
      parallel:
        unsafe: { check: { toxicity: { max: 0.5 } } }
        text: "Extract the text of {{ input.text }}"
        both: [{ first: "Say {{ input.text }}" }, { second: "Repeat {{ first }}" }]
      join: { quorum: 2 }
      onFailure: collect
  - summaries:
      map: =input.items
      as: product
      each: "{{ index }}: {{ product.name }}"
      concurrency: 4
      chunk: 2
      max: 50
      onFailure: "null"
  - verdict:
      vote: { voters: [strong, { model: small, weight: 2 }], on: =it.kind, rule: weighted, tie: { human: support }, early: true }
      prompt: classify
      with: { text: =input.text }
      returns: intent
  - refine:
      loop: { max: 5, until: it.score >= 0.9 }
      do:
        - attempt: { model: strong, prompt: "Improve {{ it }} in round {{ index }}", returns: intent }
  - pause: { wait: 10m }
  - paid:
      wait: { event: payment/confirmed, match: event.order == input.order, key: =input.order, timeout: 2d }
      returns: payment
      onTimeout: fail
  - told: { emit: { topic: orders, type: order.paid, key: =input.order }, with: { order: =input.order } }
  - child: { flow: shop/child@stable, with: { text: =input.text }, limits: { cost: 0.01 USD } }
  - asked: { agent: clerk, with: { text: =input.text }, limits: { turns: 3 } }
  - routed: { agent: { for: =classify.kind }, with: { text: =input.text } }
  - research:
      team: { planner: planner, workers: [clerk, technician], synthesis: writer, concurrency: 2, limits: { rounds: 3, subtasks: 10, depth: 2, tokens: 100k, calls: 50, cost: 1 USD } }
  - charge:
      tool: payment/charge
      with: { order: =input.order }
      effect: write
      undo: { tool: payment/refund, with: { order: =input.order } }
  - done: { set: { findings: =buffers.findings } }
onError: { tool: ops/log_error }
onLimit: { human: support, then: end }
output: { kind: =classify.kind }
results: { topic: shop.results }
`
