// An output as it is seen: inline, or with a mark where the whole is in the payload store.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { PayloadRef } from '@baton/contracts'
import type { Entry } from '../state.ts'

export const refView = ({ sha256, sizeBytes, mediaType }: PayloadRef): Json => ({ sha256, sizeBytes, mediaType })

/** The output and nothing added: what a gate looks at, what a person approves, what a buffer keeps. */
export const plainContentOf = ({ output, ref }: Entry): Json =>
  ref === undefined ? output : { ...(isJsonObject(output) ? output : {}), $payload: refView(ref) }
