import { durationWords, listWords, moneyWords } from '../outline/words.ts'
import type { Explanation, ExplainedStep } from './explain.ts'

/** An explanation as a page of text. */
export const explanationText = (explained: Explanation): string => {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['What comes in', [explained.input]],
    ['What starts it beside a request', explained.triggers],
    ['What comes out', explained.output],
    ['Limits', [explained.limits.join(', ')]],
    ['At the worst', worstLines(explained.worstCase)],
    ['Steps', explained.steps.flatMap((step, index) => stepLines(step, `${index + 1}. `, ''))],
    ['Agents', explained.agents.map(agentLine)],
    ['When a step fails and says nothing of its own', [explained.onFailure.step]],
    ['When a limit is reached', [explained.onFailure.limit]],
    ['When an agent is not sure', explained.onFailure.agents],
    ['Where people are asked', orNone(explained.people.map(personLine), 'nowhere')],
    [
      'What cannot be undone',
      orNone(
        explained.irreversible.map(({ step, does, reached }) => `${step}: ${does}; ${reached}`),
        'nothing',
      ),
    ],
    ['What can be moved (params)', orNone(explained.params.flatMap(paramLines), 'nothing')],
    ['The longest way to each end', explained.paths.map(pathLine)],
  ]
  const title = `${explained.flow}@${explained.version}, plan ${explained.hash.slice(0, 12)}`
  return [
    title,
    '',
    ...sections.filter(([, lines]) => lines.length > 0).flatMap(([name, lines]) => [name, ...lines.map((line) => `  ${line}`), '']),
  ]
    .join('\n')
    .trimEnd()
}

const orNone = (lines: readonly string[], none: string): readonly string[] => (lines.length === 0 ? [none] : lines)

const worstLines = (worst: Explanation['worstCase']): readonly string[] => {
  const time = worst.timeMs === 0 ? 'no time is stated' : `${durationWords(worst.timeMs)} of work`
  const clock = worst.totalMs > worst.timeMs ? `, ${durationWords(worst.totalMs)} by the clock with people and waits` : ''
  const cut =
    worst.limitTimeMs !== null && worst.timeMs > worst.limitTimeMs
      ? `; the flow's limit ends it after ${durationWords(worst.limitTimeMs)}`
      : ''
  const cost = worst.costMicroUsd ?? worst.limitCostMicroUsd
  return [
    `${time}${clock}${cut}`,
    ...(worst.withoutTime.length === 0 ? [] : [`no time of their own: ${listWords(worst.withoutTime)}; they end with the flow's limit`]),
    cost === null ? 'no limit of cost' : worst.costMicroUsd === null ? `${moneyWords(cost)} (the flow's limit)` : moneyWords(cost),
    ...(worst.withoutCost.length === 0 ? [] : [`no budget of their own: ${listWords(worst.withoutCost)}`]),
  ]
}

const stepLines = (step: ExplainedStep, mark: string, indent: string): readonly string[] => {
  const below = `${indent}${' '.repeat(mark.length)}`
  return [
    `${indent}${mark}${step.step}: ${step.does}${step.when === null ? '' : `, only when ${step.when}`}`,
    ...step.ways.map(({ when, then }) => `${below}${when} → ${then}`),
    ...(step.onFailure.length === 0 ? [] : [`${below}if it fails: ${step.onFailure.join('; ')}`]),
    ...step.inside.flatMap(({ label, steps }) => [`${below}${label}:`, ...steps.flatMap((inner) => stepLines(inner, '- ', `${below}  `))]),
  ]
}

const agentLine = (agent: Explanation['agents'][number]): string => {
  const { name, models, tools, for: tasks, limits, handoff, minConfidence, checksItself } = agent
  const parts = [
    `model ${models.join(', else ')}`,
    ...(tools.length === 0 ? [] : [`tools ${listWords(tools)}`]),
    ...(tasks.length === 0 ? [] : [`for ${listWords(tasks)}`]),
    limits.length === 0 ? 'no limits of its own' : `at most ${limits.join(', ')}`,
    ...(handoff.length === 0 ? [] : [`may hand over to ${listWords(handoff)}`]),
    ...(checksItself ? ['checks its own answer'] : []),
    ...(minConfidence === null ? [] : [`sure from ${minConfidence}`]),
  ]
  return `${name}: ${parts.join('; ')}`
}

const personLine = ({ step, queue, priority, withinMs, onSilence, asked, title }: Explanation['people'][number]): string =>
  `${step}: queue ${queue}, ${priority}, within ${durationWords(withinMs)}, else ${onSilence}; ${asked}${title === null ? '' : ` ("${title}")`}`

const paramLines = ({ name, type, default: value, min, max, about, moves }: Explanation['params'][number]): readonly string[] => {
  const range = min === null && max === null ? '' : `, ${min ?? ''}..${max ?? ''}`
  return [
    `${name}: ${type} ${JSON.stringify(value)}${range}${about === null ? '' : `, ${about}`}`,
    ...orNone(
      moves.map(({ where, expression }) => `  moves ${where}: ${expression}`),
      '  moves nothing',
    ),
  ]
}

const pathLine = ({ ends, steps, timeMs, totalMs }: Explanation['paths'][number]): string => {
  const clock = totalMs > timeMs ? `, ${durationWords(totalMs)} by the clock` : ''
  return `${steps.join(' → ')} → ${ends} (${durationWords(timeMs)} of work${clock})`
}
