// What the steps of a run share, for the reference: entries by buffer, gone after their time or when there are too many.
import type { Json } from '@baton/contracts/json'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { Entry } from './reference-terms.ts'

export class Shared {
  readonly #entries: Record<string, { readonly value: Json; readonly atMs: number }[]> = {}

  /** A step adds what it gave, where it says so. */
  add({ writes }: PlanNode, { output }: Entry, atMs: number): void {
    if (writes !== undefined && output !== null) (this.#entries[writes] ??= []).push({ value: output, atMs })
  }

  /** What is in the buffers now. */
  view({ buffers = {} }: Plan, nowMs: number): Json {
    return Object.fromEntries(
      Object.entries(buffers).map(([name, { expiresMs, items }]) => {
        const fresh = (this.#entries[name] ?? []).filter(({ atMs }) => nowMs - atMs < expiresMs)
        return [name, fresh.slice(-items).map(({ value }) => value)]
      }),
    )
  }
}
