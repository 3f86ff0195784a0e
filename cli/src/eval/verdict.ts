// What an evaluation says: pass or fail against a baseline, on counts that anyone can recount.

/** One played case. `right` is undefined when people have it: nobody can judge it yet. */
export type PlayedCase = { readonly id: string; readonly outcome: 'automatic' | 'person' | 'failed' | 'missing'; readonly right?: boolean }

/** Shares between 0 and 1. `accuracy` is of the automatic answers, `automatic` and `failed` of all cases. */
export type EvalFigures = { readonly cases: number; readonly automatic: number; readonly accuracy: number; readonly failed: number }
export type Verdict = { readonly verdict: 'pass' | 'fail' | 'no baseline'; readonly drops: readonly string[] }

export const figuresOfCases = (played: readonly PlayedCase[]): EvalFigures => {
  const automatic = played.filter((one) => one.outcome === 'automatic')
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  return {
    cases: played.length,
    automatic: share(automatic.length, played.length),
    accuracy: share(automatic.filter((one) => one.right === true).length, automatic.length),
    failed: share(played.filter((one) => one.outcome === 'failed' || one.outcome === 'missing').length, played.length),
  }
}

const shown = (value: number): string => `${(100 * value).toFixed(1)} %`

/** Fails when fewer cases are automatic, fewer of them right, or more fail, each by more than `margin`. */
export const judge = (now: EvalFigures, baseline: EvalFigures | undefined, margin: number): Verdict => {
  if (baseline === undefined) return { verdict: 'no baseline', drops: [] }
  const drops = [
    ...(now.accuracy < baseline.accuracy - margin
      ? [`accuracy of automatic answers fell from ${shown(baseline.accuracy)} to ${shown(now.accuracy)}`]
      : []),
    ...(now.automatic < baseline.automatic - margin
      ? [`automatic share fell from ${shown(baseline.automatic)} to ${shown(now.automatic)}`]
      : []),
    ...(now.failed > baseline.failed + margin ? [`failed runs rose from ${shown(baseline.failed)} to ${shown(now.failed)}`] : []),
  ]
  return { verdict: drops.length === 0 ? 'pass' : 'fail', drops }
}
