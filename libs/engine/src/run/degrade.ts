// What was made good, for the result to name.
import type { FaultData } from '@baton/contracts/fault'
import type { Turn } from './turn.ts'

/** Faults of a run that are kept as reasons of `degraded`. */
const DEGRADED_MAX = 16

/** Remembers that a handler made good for a fault. */
export const degrade = ({ run }: Turn, fault: FaultData): void => {
  if (run.degraded.length < DEGRADED_MAX && !run.degraded.includes(fault.code)) run.degraded.push(fault.code)
}
