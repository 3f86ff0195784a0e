/** A sentence by which a text tries to command the model that reads it. */
export type InjectionRule = { readonly kind: string; readonly pattern: RegExp; readonly weight: number; readonly reason: string }

/** Reviewed patterns, each linear: every gap is bounded. In small letters; no flags but `g`, and no group that is referred to. */
export const injectionRule = (kind: string, weight: number, reason: string, pattern: RegExp): InjectionRule => ({
  kind,
  pattern,
  weight,
  reason,
})
