// What a dispatch used up, call by call.
//   I2. All its calls are paid, whichever answer was used, and also when none was.
//   I3. Of a call that was given up nobody tells the tokens: it is billed its input and the share of an answer that its time stands for.
import { costMicroUsd, type Need } from '@baton/policy/routing'
import type { ModelRouted } from '@baton/contracts'
import type { Model, Usage } from '../model.ts'

export type CallMade = ModelRouted['calls'][number]

const sumOf = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined && right === undefined ? undefined : (left ?? 0) + (right ?? 0)

const sum = (left: Usage, right: Usage): Usage => {
  const inputTokens = sumOf(left.inputTokens, right.inputTokens)
  const outputTokens = sumOf(left.outputTokens, right.outputTokens)
  const cachedInputTokens = sumOf(left.cachedInputTokens, right.cachedInputTokens)
  return {
    costMicroUsd: left.costMicroUsd + right.costMicroUsd,
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
  }
}

/** What a call costs that was given up after `passedMs`, where a whole one takes `wholeMs` (I3). */
export const lostCost = ({ about }: Model, need: Need, { passedMs, wholeMs }: { passedMs: number; wholeMs: number }): Usage => {
  if (about === undefined || about.local) return { costMicroUsd: 0 }
  const share = Math.min(1, passedMs / Math.max(1, wholeMs))
  const expected = need.outputTokens ?? about.outputTokensMax / 2
  const tokens = { inputTokens: need.inputTokens, outputTokens: Math.ceil(expected * share) }
  if (about.price === undefined) return { ...tokens, costMicroUsd: about.callCostMaxMicroUsd ?? 0 }
  return { ...tokens, costMicroUsd: costMicroUsd(about.price, { input: tokens.inputTokens, output: tokens.outputTokens }) }
}

/** The calls of a dispatch and what they cost together (I2). */
export class Bill {
  readonly calls: CallMade[] = []
  usage: Usage = { costMicroUsd: 0 }

  add(call: CallMade, usage: Usage): void {
    this.calls.push({ ...call, costMicroUsd: usage.costMicroUsd })
    this.usage = sum(this.usage, usage)
  }
}
