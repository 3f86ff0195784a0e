// Times and budgets that the flow around them cuts off.
import type { Report } from '../diagnostic.ts'
import type { Span } from '../source/source.ts'
import type { FlowTree, StepTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'
import { worstCase, type PathEnd, type PathStep, type WorstCase } from './worst-case.ts'

/** Reports times longer than the flow's, and warns where the worst case is. A step's own timeout is looked at with the limits. */
export const checkTimes = (tree: FlowTree, report: Report): void => {
  let within = true
  everyStep(tree, (step) => {
    for (const { at, what, ms } of timesOf(step, tree)) {
      if (ms <= tree.limits.timeMs) continue
      within = false
      const message = `${what} of ${nameOf(step)} is ${words(ms)}, but the flow has ${words(tree.limits.timeMs)} (limits.time)`
      report.add(at, 'time.exceeds_flow', message, `make it shorter, or limits: { time: ${words(ms)} }`)
    }
    within &&= !exceedsAlone(step, tree)
    checkHedge(step, report)
  })
  const worst = worstCase(tree)
  if (within) warnTime(tree, { worst, report })
  warnCost(tree, { worst, report })
}

type Time = { readonly at: Span; readonly what: string; readonly ms: number }

const timesOf = (step: StepTree, tree: FlowTree): readonly Time[] => {
  const times: (Omit<Time, 'ms'> & { readonly ms: number | undefined })[] = [
    { at: step.at, what: 'the hedge', ms: step.hedge?.afterMs },
    { at: step.at, what: 'the budget', ms: step.budget?.timeMs },
    { at: step.at, what: 'the pause between two tries', ms: step.retry?.delayMs },
  ]
  if (step.kind === 'agent' || step.kind === 'team') {
    const agent = step.kind === 'agent' && step.agent !== undefined ? tree.agents[step.agent] : undefined
    const ms = step.limits?.timeMs ?? agent?.limits.timeMs
    times.push({ at: step.at, what: `the time of the ${step.kind}`, ms })
  }
  return times.flatMap(({ ms, ...time }) => (ms === undefined ? [] : [{ ...time, ms }]))
}

/** A second request that would start when the first has timed out is never made. */
const checkHedge = (step: StepTree, report: Report): void => {
  if (step.hedge === undefined || step.timeoutMs === undefined || step.hedge.afterMs < step.timeoutMs) return
  const message = `the hedge of ${nameOf(step)} begins after ${words(step.hedge.afterMs)}, when its try of ${words(step.timeoutMs)} is over`
  report.add(step.at, 'time.exceeds_flow', message, `hedge: ${words(Math.max(1, Math.floor(step.timeoutMs / 4)))}`)
}

/** What `limit.exceeded` is reported of; that the whole is too long as well would be the same mistake again. */
const exceedsAlone = (step: StepTree, { limits }: FlowTree): boolean => {
  if (step.kind === 'human') return step.human.slaMs > limits.totalMs
  if (step.kind === 'wait') return step.forMs > limits.totalMs
  return (step.timeoutMs ?? 0) > (step.kind === 'event' ? limits.totalMs : limits.timeMs)
}

type Found = { readonly worst: WorstCase; readonly report: Report }

/** Warns at the step with which the longest way first is over the limit. */
const warnTime = (tree: FlowTree, { worst, report }: Found): void => {
  const { timeMs } = tree.limits
  if (worst.timeMs > timeMs) {
    const place = firstOver(worst.paths, 'timeMs', timeMs)
    const message = `tries, pauses and handlers up to ${place === undefined ? 'here' : nameOf(place.step)} may take ${words(place?.timeMs ?? worst.timeMs)}, longer than limits.time (${words(timeMs)}); the whole flow ${words(worst.timeMs)}`
    report.add(
      place?.step.at ?? tree.at,
      'time.chain_exceeds_flow',
      message,
      `limits: { time: ${words(worst.timeMs)} }, or fewer attempts or shorter timeouts`,
    )
    return
  }
  const { totalMs } = tree.limits
  if (worst.totalMs <= totalMs) return
  const place = firstOver(worst.paths, 'totalMs', totalMs)
  const message = `people, events and waits included, the flow may take ${words(worst.totalMs)}, longer than limits.total (${words(totalMs)})`
  report.add(place?.step.at ?? tree.at, 'time.chain_exceeds_flow', message, `limits: { total: ${words(worst.totalMs)} }, or shorter waits`)
}

const firstOver = (paths: readonly PathEnd[], key: 'timeMs' | 'totalMs', limit: number): PathStep | undefined => {
  const longest = paths.reduce<PathEnd | undefined>((best, path) => (best === undefined || path[key] > best[key] ? path : best), undefined)
  return longest?.path.find((at) => at[key] > limit)
}

const warnCost = (tree: FlowTree, { worst, report }: Found): void => {
  const limit = tree.limits.costMicroUsd
  if (limit === undefined || worst.statedMicroUsd <= limit) return
  const message = `the budgets of the steps add up to ${dollars(worst.statedMicroUsd)}, more than limits.cost (${dollars(limit)})`
  report.add(tree.at, 'cost.exceeds_flow', message, `limits: { cost: ${dollars(worst.statedMicroUsd)} }, or smaller budgets`)
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** A duration as a flow writes it. */
const words = (ms: number): string => {
  const unit = UNITS.find(([, size]) => ms >= size && ms % size === 0)
  if (unit !== undefined) return `${ms / unit[1]}${unit[0]}`
  return ms >= 1_000 && ms % 100 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}

const dollars = (microUsd: number): string => `${microUsd / 1_000_000} USD`
