// What the rig saw, for proofs: how many calls, by model and outcome, how many at once, and how they lay in time.

/** Width of one cell of the time line. */
export const CELL_MS = 100
const CELLS_MAX = 18_000

export type RigStats = {
  readonly requests: number
  readonly byModel: Readonly<Record<string, number>>
  /** `answered`, `aborted` (the caller left), or what was done to it. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly inFlight: number
  readonly inFlightMax: number
  /** Of answers that were given whole: what a provider would bill. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** Requests that came in each tenth of a second since the last reset. */
  readonly timeline: readonly number[]
}

export type StatsKeeper = {
  readonly began: (model: string) => void
  readonly ended: (outcome: string, tokens?: { readonly inputTokens: number; readonly outputTokens: number }) => void
  readonly read: () => RigStats
  readonly reset: () => void
}

export const keepStats = (clockMs: () => number): StatsKeeper => {
  let startedMs = clockMs()
  let fresh = { requests: 0, inFlightMax: 0, inputTokens: 0, outputTokens: 0 }
  let inFlight = 0
  let byModel: Record<string, number> = {}
  let outcomes: Record<string, number> = {}
  let timeline: number[] = []
  return {
    began: (model) => {
      fresh.requests += 1
      inFlight += 1
      fresh.inFlightMax = Math.max(fresh.inFlightMax, inFlight)
      byModel[model] = (byModel[model] ?? 0) + 1
      const cell = Math.floor((clockMs() - startedMs) / CELL_MS)
      while (timeline.length <= cell && timeline.length < CELLS_MAX) timeline.push(0)
      if (cell < CELLS_MAX) timeline[cell] = (timeline[cell] ?? 0) + 1
    },
    ended: (outcome, tokens) => {
      inFlight -= 1
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      fresh.inputTokens += tokens?.inputTokens ?? 0
      fresh.outputTokens += tokens?.outputTokens ?? 0
    },
    read: () => ({ ...fresh, inFlight, byModel: { ...byModel }, outcomes: { ...outcomes }, timeline: [...timeline] }),
    reset: () => {
      startedMs = clockMs()
      fresh = { requests: 0, inFlightMax: inFlight, inputTokens: 0, outputTokens: 0 }
      byModel = {}
      outcomes = {}
      timeline = []
    },
  }
}
