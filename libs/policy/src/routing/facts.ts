// What a choice of models is made from: what a question needs, what models are, and how they are doing at this moment.

/** What a model can do. Absent numbers are unknown, and nothing is refused for them. */
export type Capabilities = {
  readonly tools: boolean
  readonly jsonSchema: boolean
  readonly vision: boolean
  readonly audio: boolean
  readonly contextTokens?: number
  readonly outputTokens?: number
}

/** Micro-dollars per token: a dollar per million tokens is one. */
export type TokenPrice = {
  readonly input: number
  readonly output: number
  readonly cachedInput?: number
  /** What a call costs whose input has more tokens than this; the highest that applies, ascending. */
  readonly above?: readonly { readonly tokens: number; readonly input: number; readonly output: number; readonly cachedInput?: number }[]
}

/** What is said of a model in the catalogue. */
export type ModelFacts = {
  readonly name: string
  /** Answers in this process: no data leaves it, and it costs nothing. */
  readonly local: boolean
  readonly capabilities: Capabilities
  readonly region?: string
  /** Classes of data that it may see. A question with a class goes only to models that list it, and to local ones. */
  readonly dataClasses: readonly string[]
  /** Absent: not known; then `callCostMaxMicroUsd` is what a call is taken to cost. */
  readonly price?: TokenPrice
  readonly callCostMaxMicroUsd?: number
  /** Quality between 0 and 1 as the catalogue says, where no learned router says better. */
  readonly quality?: number
  readonly outputTokensMax: number
}

/** What a question wants of a model. */
export type Need = {
  readonly inputTokens: number
  /** How long its answer is expected to be; absent: half of what the model may write. */
  readonly outputTokens?: number
  readonly tools: boolean
  readonly jsonSchema: boolean
  readonly vision: boolean
  readonly audio: boolean
  readonly dataClass?: string
  /** Where it may be answered; absent: anywhere. */
  readonly regions?: readonly string[]
  /** Models that a policy excludes, with the reason. */
  readonly denied?: Readonly<Record<string, string>>
}

/** How a model is doing, as this process has seen it. */
export type Condition = {
  readonly breaker: 'closed' | 'open' | 'half_open'
  /** Since when it answers again, where it has asked for rest. */
  readonly restsUntilMs?: number
  /** Of whole calls, in milliseconds; absent until enough were seen. */
  readonly latency?: { readonly p50: number; readonly p95: number; readonly ewma: number }
  readonly inFlight: number
  /** Its limits of requests or tokens are used up for now. */
  readonly limited?: boolean
}

/** The moment of a choice. */
export type LiveFacts = {
  readonly nowMs: number
  /** Time left for the answer. */
  readonly leftMs: number
  /** Money left of the tightest budget; absent: none is set. */
  readonly budgetLeftMicroUsd?: number
  /** A soft limit of a budget is reached: cheaper models go first. */
  readonly frugal?: boolean
  readonly conditionOf: (model: string) => Condition
  /** In [0, 1). */
  readonly random: () => number
}

/** A model of which nothing has been seen yet. */
export const UNSEEN: Condition = { breaker: 'closed', inFlight: 0 }

/** A candidate of a choice: its score with its parts, or why it lost. */
export type Considered = {
  readonly model: string
  readonly score?: number
  readonly parts?: Readonly<Record<string, number>>
  readonly lost?: string
}
