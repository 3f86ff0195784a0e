// What a dispatch of a model took.
//   I2. The meter is the dispatch's: all its calls are paid, whichever answer was used, and also when none was.
import type { Meter } from '@baton/contracts'
import type { Asked, GivenUp } from '../attempts/dispatch.ts'
import type { CachedAnswer } from '../cache/answer-cache.ts'

export type Took = Pick<Meter, 'startedAtMs' | 'latencyMs' | 'inputChars' | 'leftOut'>

/** Of a dispatch that gave an output of so many characters. */
export const meterOf = ({ output, model, tries, usage, failedOver }: Asked, took: Took & { readonly outputChars: number }): Meter => ({
  ...took,
  tries,
  model: model.name,
  provider: model.provider,
  ...usage, // I2
  ...(output.confidence === undefined ? {} : { confidence: output.confidence }),
  ...(output.rawConfidence === undefined ? {} : { rawConfidence: output.rawConfidence }),
  ...(output.repaired ? { repaired: true } : {}),
  ...(failedOver.length > 0 ? { failedOver: [...failedOver] } : {}),
})

/** Of a dispatch that gave nothing: its calls are paid as well (I2). */
export const lossOf = ({ tries, usage, failedOver }: GivenUp, took: Took): Meter => ({
  ...took,
  tries,
  outputChars: 0,
  ...usage,
  ...(failedOver.length > 0 ? { failedOver: [...failedOver] } : {}),
})

/** Of an answer that was there already: it costs nothing, and says what it would have cost. */
export const cachedMeter = (cached: CachedAnswer, took: Took & { readonly outputChars: number }): Meter => ({
  ...took,
  tries: 1,
  model: cached.model,
  provider: cached.provider,
  costMicroUsd: 0,
  cached: true,
  savedMicroUsd: cached.costMicroUsd,
  ...(cached.confidence === undefined ? {} : { confidence: cached.confidence }),
  ...(cached.rawConfidence === undefined ? {} : { rawConfidence: cached.rawConfidence }),
})
