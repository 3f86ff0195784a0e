import type { Reviewed } from '@baton/models'
import { duration, percent, table } from '../print/table.ts'

type Shares = { readonly value: number; readonly low: number; readonly high: number }

/** Cost of a thousand cases. */
const dollars = (microUsd: number): string => `$${(microUsd / 1_000).toFixed(3)} / 1,000`
const shares = ({ value, low, high }: Shares): string => `${percent(value, 1)} (${percent(low, 1)} to ${percent(high, 1)})`
const points = ({ value, low, high }: Shares): string =>
  [value, low, high].map((part) => `${part >= 0 ? '+' : ''}${(100 * part).toFixed(1)}`).join(' / ')

/** The others differ in a threshold only. */
const SHOWN = 12

type Figures = Reviewed['now']
const figuresRow = (name: string, { quality, costMicroUsd, meanMs, p95Ms }: Figures, difference: string): readonly string[] => [
  name,
  shares(quality),
  difference,
  dollars(costMicroUsd),
  duration(meanMs),
  duration(p95Ms),
]

/** A review for people: how routes did, and the change that is proposed. */
export const reviewText = (reviewed: Reviewed, { seed, yaml }: { seed: string; yaml: string | undefined }): string => {
  const { now, proposal, current, options } = reviewed
  const shown = options.toSorted((left, right) => left.figures.costMicroUsd - right.figures.costMicroUsd).slice(0, SHOWN)
  const rows = [
    figuresRow(`now: ${current.name}`, now, ''),
    ...shown.map(({ route, figures, difference }) => figuresRow(route.name, figures, points(difference))),
  ]
  return [
    `${reviewed.route}: chosen on one half of the cases, measured on the other ${now.cases} (seed ${seed})`,
    table(['route', 'right', 'points, low, high', 'cost', 'mean', 'p95'], rows),
    ...(proposal === undefined || yaml === undefined
      ? ['Nothing is cheaper without a loss, nor better for no more money: the route stays.']
      : [
          `Proposed: ${proposal.route.name} (${proposal.reason})`,
          `- ${current.name}`,
          ...yaml
            .trimEnd()
            .split('\n')
            .map((line) => `+ ${line}`),
        ]),
  ].join('\n')
}
