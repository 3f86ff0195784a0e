// An output as it is seen: inline, or with a mark where the whole is in the payload store.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { PayloadRef } from '@baton/contracts'
import type { Plan } from '@baton/flow/plan'
import type { Entry, LeftOut, OpenRun } from '../state.ts'

export const refView = ({ sha256, sizeBytes, mediaType }: PayloadRef): Json => ({ sha256, sizeBytes, mediaType })

/** The output and nothing added: what a gate looks at, what a person approves, what a buffer keeps. */
export const plainContentOf = ({ output, ref }: Entry): Json =>
  ref === undefined ? output : { ...(isJsonObject(output) ? output : {}), $payload: refView(ref) }

/** Whether this run keeps what contexts left out: engines before the fourth did not. */
export const tellsLeftOut = ({ engineVersion }: Pick<OpenRun, 'engineVersion'>, { leftOut }: Pick<Plan, 'leftOut'>): boolean =>
  leftOut === true && engineVersion >= 4

/** It as a value of expressions. */
export const leftOutView = ({ leftOut = [] }: Entry): Json => leftOut.map(({ part, tokens, how }) => ({ part, tokens, how }))

/** Both, each part once, as often as most was lost of it. */
export const leftOutOfBoth = (a: LeftOut, b: LeftOut): LeftOut => {
  const parts = new Map(a.map((one) => [one.part, one]))
  for (const one of b) if (one.tokens >= (parts.get(one.part)?.tokens ?? 0)) parts.set(one.part, one)
  return [...parts.values()]
}
