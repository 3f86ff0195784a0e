import type { Json } from '@baton/contracts/json'

/** A value of an enum; null is said apart. */
export type JsonScalar = string | number | boolean

export const isScalarValue = (value: Json | undefined): value is JsonScalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
