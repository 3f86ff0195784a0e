// Examples of the reference page: a small flow for each kind of step, and the short forms of a schema. Tests compile them all.

/** Forms of a type in a schema's short form. */
export const SCHEMA_FORMS: readonly { readonly form: string; readonly meaning: string }[] = [
  { form: 'string', meaning: 'text' },
  { form: 'number', meaning: 'a number' },
  { form: 'integer', meaning: 'a whole number' },
  { form: 'boolean', meaning: 'true or false' },
  { form: 'object', meaning: 'a map of anything' },
  { form: 'list', meaning: 'a list of anything' },
  { form: 'date', meaning: 'text like `2026-11-21`' },
  { form: 'datetime', meaning: 'text like `2026-11-21T09:00:00Z`' },
  { form: 'any', meaning: 'anything' },
  { form: 'image', meaning: 'an image by reference: `{ ref, mediaType, bytes }`' },
  { form: 'audio', meaning: 'sound by reference' },
  { form: 'file', meaning: 'a file by reference' },
  { form: 'refund | technical', meaning: 'one of these words' },
  { form: '0..1', meaning: 'a number in this range' },
  { form: 'string[]', meaning: 'a list of texts' },
  { form: 'string?', meaning: 'text that may be missing' },
  { form: '{ city: string, code: string }', meaning: 'a map with these fields' },
  { form: '{ type: number, min: 0, max: 10, default: 5, about: A mark }', meaning: 'a type with bounds, a default and a meaning' },
  { form: '{ type: list, items: { id: string } }', meaning: 'a list of maps' },
  { form: '{ type: image, max: 10MB }', meaning: 'an image up to a size: `B`, `KB`, `MB` or `GB`, a KB being 1,024 bytes' },
]

/** A whole flow for each kind of step. */
export const KIND_EXAMPLES: Readonly<Record<string, string>> = {
  model: `input: { text: string }
steps:
  - topic:
      model: [fast, frontier]
      prompt: 'What is this about? {{ text }}'
      with: { text: =input.text }
      returns: { topic: string, confidence: 0..1 }
      timeout: 5s
      retry: { attempts: 3, backoff: exponential }
`,
  tool: `input: { product: string }
steps:
  - price:
      tool: [shop/price, shop/price_list]
      with: { product: =input.product }
      returns: { price: number }
      timeout: 2s
`,
  retrieve: `input: { question: string }
steps:
  - docs:
      retrieve: help
      with: { query: =input.question, top: 5 }
`,
  check: `input: { text: string }
steps:
  - allowed:
      check: [length: { max: 2000 }, forbidden: { words: [guarantee, promise] }]
      with: { text: =input.text }
      gate:
        - { when: it.pass, then: next }
        - { else: fail }
`,
  human: `input: { text: string }
steps:
  - decision:
      human: { queue: editors, priority: high, sla: 2h, title: May this be published?, onTimeout: escalate }
      with: { text: =input.text }
      returns: { publish: boolean, reason: string? }
`,
  task: `input: { invoice: string }
steps:
  - booked:
      task: bookkeeping
      with: { invoice: =input.invoice }
      returns: { number: string }
      timeout: 5m
`,
  switch: `input: { kind: refund | technical, amount: number }
steps:
  - queue:
      switch: =input.kind
      cases:
        refund: { set: billing }
        technical: { set: engineers }
  - scale:
      switch:
        - { when: input.amount > 1000, then: { set: large } }
        - { else: { set: small } }
`,
  set: `input: { price: number, count: integer }
steps:
  - bill: { set: { total: =input.price * input.count, paid: false } }
`,
  parallel: `input: { text: string }
steps:
  - looks:
      parallel:
        tone: { prompt: 'Judge the tone. {{ text }}', with: { text: =input.text }, returns: { tone: string } }
        facts: { prompt: 'List the facts. {{ text }}', with: { text: =input.text }, returns: { facts: 'string[]' } }
      join: all
      onFailure: null
output: { tone: '=looks.tone == null ? "unknown" : looks.tone.tone' }
`,
  map: `input: { pages: 'string[]' }
steps:
  - summaries:
      map: =input.pages
      as: page
      each: Summarise {{ page }}
      concurrency: 8
      max: 200
`,
  vote: `input: { text: string }
steps:
  - verdict:
      vote: { voters: [judge-a, judge-b, judge-c], on: =it.allowed, rule: majority, tie: fail }
      prompt: 'Is this allowed? {{ text }}'
      with: { text: =input.text }
      returns: { allowed: boolean, reason: string }
`,
  loop: `input: { text: string }
steps:
  - better:
      loop: { max: 3, until: it.score >= 0.9 }
      do:
        - round:
            prompt: 'Improve this. {{ text }}'
            with: { text: '=it == null ? input.text : it.text' }
            returns: { text: string, score: 0..1 }
`,
  wait: `limits: { total: 7d }
input: { order: string }
steps:
  - pause: { wait: 10m }
  - paid:
      wait: { event: payments.confirmed, match: event.order == input.order, key: =input.order, timeout: 2d }
      returns: { order: string, amount: number }
      onTimeout: fail
`,
  emit: `input: { order: string }
steps:
  - told:
      emit: { topic: orders.done, type: order.done, key: =input.order }
      with: { order: =input.order }
`,
  flow: `input: { order: string }
steps:
  - shipped:
      flow: shop/shipping@stable
      with: { order: =input.order }
      limits: { time: 30s, cost: 0.01 USD }
`,
  agent: `input: { text: string }
agents:
  reader:
    model: fast
    prompt: You read texts and say what they state.
    limits: { turns: 4, calls: 8, tokens: 20k, time: 60s }
    minConfidence: 60%
    fallback: fail
    returns: { text: string, confidence: 0..1 }
steps:
  - read: { agent: reader, with: { text: =input.text } }
output: =read.text
`,
  team: `limits: { time: 30m, cost: 1 USD }
input: { question: string }
agents:
  planner: { prompt: You split questions., limits: { turns: 3, tokens: 10k } }
  worker: { prompt: You answer a part., limits: { turns: 6, tokens: 40k } }
  writer: { prompt: You join the answers., limits: { turns: 3, tokens: 40k } }
steps:
  - report:
      team:
        planner: planner
        workers: [worker]
        synthesis: writer
        concurrency: 4
        limits: { rounds: 3, subtasks: 12, depth: 2, tokens: 400k, calls: 100, cost: 0.80 USD }
      with: { question: =input.question }
      returns: { text: string, sources: 'string[]' }
`,
}
