// What happens next, in sentences.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { TriggerSpec } from '../plan.ts'
import type { OutlineOutcome, OutlinePart, OutlineStep } from '../outline/outline.ts'
import { durationWords, listWords } from '../outline/words.ts'

/** How a step is called in a sentence. */
export const stepWords = (step: OutlineStep): string => step.name ?? `${step.detail}`

/** `goes on`, `ends the run`, `does a and b, then fails`. */
export const outcomeWords = (outcome: OutlineOutcome): string => {
  switch (outcome.then) {
    case 'next':
      return 'goes on'
    case 'end':
      return 'ends the run'
    case 'fail':
      return 'the run fails'
    case 'step':
      return `goes to ${outcome.step}`
    case 'retry': {
      const model = outcome.models === undefined ? '' : ` of ${outcome.models.join(', else ')}`
      const prompt = outcome.prompt === undefined ? '' : ' with another prompt'
      return `asks again${model}${prompt}, at most ${outcome.attempts === 1 ? 'once' : `${outcome.attempts} times`}`
    }
    case 'run': {
      const after = { next: 'goes on', end: 'ends the run', fail: 'the run fails' }[outcome.after]
      return `${listWords(outcome.steps.map((step) => `${step.name === null ? '' : `${step.name}: `}${step.detail}`))}; then ${after}`
    }
  }
}

/** `an event of tickets, by event.id, only when …`. */
export const triggerWords = (trigger: TriggerSpec): string => {
  const when = trigger.when === undefined ? '' : `, only when ${trigger.when}`
  switch (trigger.kind) {
    case 'topic':
      return `a message of topic ${trigger.topic}${trigger.key === undefined ? '' : `, once for each ${trigger.key}`}${when}`
    case 'http':
      return `${trigger.method} ${trigger.path}${when}`
    case 'schedule':
      return `${trigger.cron === undefined ? `every ${durationWords(trigger.everyMs ?? 0)}` : `at ${trigger.cron} in ${trigger.zone}`}${when}`
  }
}

/** What happens when the work of a step fails, in the order in which it is tried. */
export const failureWords = (step: OutlineStep): readonly string[] => {
  if (step.kind === 'switch' || step.kind === 'set') return []
  const { retry, timeoutMs, onError, onTimeout, onLimit } = step
  const models = step.facts['model']
  const others = step.kind === 'model' && Array.isArray(models) ? models.slice(1).map(String) : []
  const tried = [
    ...(timeoutMs === undefined ? [] : [`a try ends after ${durationWords(timeoutMs)}`]),
    ...(retry === undefined
      ? []
      : [
          `tried ${retry.attempts} times in all, ${retry.backoff === 'fixed' ? durationWords(retry.delayMs) : `${durationWords(retry.delayMs)} and then twice as long`} apart`,
        ]),
    ...others.map((model) => `then model ${model} is asked`),
    ...step.parts.filter(({ role }) => role === 'failover').map((part) => `then ${partWords(part)}`),
    ...silenceWords(step),
    ...(onTimeout === undefined ? [] : [`on timeout: ${outcomeWords(onTimeout)}`]),
    ...(onLimit === undefined ? [] : [`at a limit: ${outcomeWords(onLimit)}`]),
  ]
  const last = onError === undefined ? `${tried.length === 0 ? '' : 'else '}the run fails` : `on error: ${outcomeWords(onError)}`
  return [...tried, last, ...step.parts.filter(({ role }) => role === 'undo').map((part) => `undone by ${partWords(part)}`)]
}

const partWords = (part: OutlinePart): string => listWords(part.steps.map((step) => step.detail))

const silenceWords = (step: OutlineStep): readonly string[] => {
  const human = humanOf(step)
  if (human === undefined) return []
  const end = human.risk === 'advisory' ? 'it goes on as proposed, flagged as unreviewed' : 'the step fails'
  if (human.chain.length > 0) return [`no answer in time: ${human.chain.map((queue) => `then ${queue}`).join(', ')}, then ${end}`]
  return [`no answer in time: ${human.onTimeout === 'escalate' ? 'asked once more with a higher priority, then ' : ''}${end}`]
}

export type Human = {
  readonly queue: string
  readonly priority: string
  readonly slaMs: number
  readonly onTimeout: string
  readonly title: string | undefined
  /** Queues it goes to when nobody acts in time. */
  readonly chain: readonly string[]
  readonly risk: string
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Who is asked by a step, and how long they have. */
export const humanOf = (step: OutlineStep): Human | undefined => {
  const human = step.facts['human']
  if (step.kind !== 'human' || !isJsonObject(human)) return undefined
  return {
    queue: textOf(human['queue']),
    priority: textOf(human['priority']),
    slaMs: Number(human['slaMs']),
    onTimeout: textOf(human['onTimeout']),
    title: typeof human['title'] === 'string' ? human['title'] : undefined,
    chain: (Array.isArray(human['chain']) ? human['chain'] : []).map((rung: Json) => (isJsonObject(rung) ? textOf(rung['queue']) : '')),
    risk: textOf(human['risk']),
  }
}
