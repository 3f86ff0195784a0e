import { canonicalJson } from '@baton/contracts/json'
import type { Plan } from './plan.ts'
import { sha256 } from '@baton/contracts/ids'

/** SHA-256 of the plan's canonical text without its hash, in hex (P1). */
export const planHash = (plan: Omit<Plan, 'hash'> | Plan): string => sha256(canonicalJson({ ...plan, hash: undefined }))
