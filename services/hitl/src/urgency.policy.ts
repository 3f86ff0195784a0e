// Priorities as numbers: 0–100, 100 first, with names for four stretches and for what nobody is in a hurry for.
import type { Priority } from '@baton/contracts'

/** What the names stand for. */
export const URGENCY = { emergency: 100, high: 75, normal: 50, low: 25, bulk: 0 } as const satisfies Record<Priority, number>

/** The name of a number. */
export const levelOf = (urgency: number): Priority => {
  if (urgency >= 90) return 'emergency'
  if (urgency >= 65) return 'high'
  if (urgency >= 35) return 'normal'
  return urgency >= 10 ? 'low' : 'bulk'
}

/** A level higher. */
export const raised = (urgency: number): number => Math.min(100, urgency + 25)
