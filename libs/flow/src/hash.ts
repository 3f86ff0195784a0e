import { createHash } from 'node:crypto'
import { canonicalJson } from '@baton/contracts/json'
import type { Plan } from './plan.ts'

/** SHA-256 of the plan's canonical text without its hash, in hex (P1). */
export const planHash = (plan: Omit<Plan, 'hash'> | Plan): string =>
  createHash('sha256')
    .update(canonicalJson({ ...plan, hash: undefined }))
    .digest('hex')
