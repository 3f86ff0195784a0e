import { isJsonObject, type RunResult } from '@baton/contracts'
import { duration, percent, quantile, table } from '../print/table.ts'

/** A question of the demo: what was asked, and what a person who labelled it said it is. */
export type DemoCase = { readonly runId: string; readonly category: string; readonly outOfScope: boolean }

/** What was seen from outside about one run. `waiting` has no result yet. */
export type DemoRun = {
  readonly case: DemoCase
  readonly result?: RunResult
  /** Priority of the review it was sent to, if any. */
  readonly review?: string
}

/** What happened to all of them, as numbers. Shares are of `questions`. */
export type DemoFigures = {
  readonly questions: number
  readonly automatic: number
  readonly automaticRight: number
  readonly people: Readonly<Record<string, number>>
  readonly decidedByPeople: number
  readonly waitingForPeople: number
  readonly outOfScope: number
  readonly outOfScopeCaught: number
  readonly ended: number
  readonly completed: number
  readonly latenciesMs: readonly number[]
  readonly costUsd: number
}

const intentOf = (result: RunResult | undefined): string | undefined => {
  const intent = isJsonObject(result?.output) ? result.output['intent'] : undefined
  return typeof intent === 'string' ? intent : undefined
}

/** Counts. A run counts as automatic when it completed and no person saw it; an out-of-scope question is caught when it is not answered automatically as something it is not. */
export const figuresOf = (runs: readonly DemoRun[]): DemoFigures => {
  const automatic = runs.filter((run) => run.review === undefined && run.result?.status === 'completed')
  const sent = runs.filter((run) => run.review !== undefined)
  const ended = runs.filter((run) => run.result !== undefined)
  const people: Record<string, number> = {}
  for (const { review } of sent) if (review !== undefined) people[review] = (people[review] ?? 0) + 1
  const foreign = runs.filter((run) => run.case.outOfScope)
  return {
    questions: runs.length,
    automatic: automatic.length,
    automaticRight: automatic.filter((run) => intentOf(run.result) === run.case.category).length,
    people,
    decidedByPeople: sent.filter((run) => run.result !== undefined).length,
    waitingForPeople: sent.filter((run) => run.result === undefined).length,
    outOfScope: foreign.length,
    outOfScopeCaught: foreign.filter((run) => !automatic.includes(run) || intentOf(run.result) === run.case.category).length,
    ended: ended.length,
    completed: ended.filter((run) => run.result?.status === 'completed').length,
    latenciesMs: automatic.map((run) => run.result?.metrics.latencyMs ?? 0),
    costUsd: ended.reduce((sum, run) => sum + (run.result?.metrics.costUsd ?? 0), 0),
  }
}

const PRIORITIES = ['emergency', 'high', 'normal', 'low'] as const

/** The table at the end of the demo. `seconds` is the time from the first request to the last answer or hand-over. */
export const printFigures = (figures: DemoFigures, { seconds, tickets }: { seconds: number; tickets: number }): string => {
  const { questions, automatic } = figures
  const sent = figures.decidedByPeople + figures.waitingForPeople
  return table(
    ['what happened', 'count', 'share'],
    [
      ['questions', questions, ''],
      ['answered automatically', automatic, percent(automatic, questions)],
      ['  intent right on those', figures.automaticRight, percent(figures.automaticRight, automatic)],
      ['handed to people', sent, percent(sent, questions)],
      ...PRIORITIES.filter((priority) => (figures.people[priority] ?? 0) > 0).map((priority) => [
        `  ${priority}`,
        figures.people[priority] ?? 0,
        percent(figures.people[priority] ?? 0, questions),
      ]),
      ['  decided by the reviewer', figures.decidedByPeople, percent(figures.decidedByPeople, sent)],
      ['  still waiting', figures.waitingForPeople, percent(figures.waitingForPeople, sent)],
      ['tickets created for them', tickets, ''],
      ['out-of-scope questions', figures.outOfScope, ''],
      ['  caught', figures.outOfScopeCaught, percent(figures.outOfScopeCaught, figures.outOfScope)],
      ['runs ended', figures.ended, percent(figures.ended, questions)],
      ['  completed', figures.completed, percent(figures.completed, figures.ended)],
      ['latency p50', duration(quantile(figures.latenciesMs, 0.5)), ''],
      ['latency p95', duration(quantile(figures.latenciesMs, 0.95)), ''],
      ['runs per second', (questions / seconds).toFixed(1), ''],
      ['cost', `${figures.costUsd.toFixed(4)} USD`, ''],
    ],
  )
}
