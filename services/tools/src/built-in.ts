import { recordRefund, refundStatus } from './functions/billing-refunds.ts'
import { echo, noOp } from './functions/demo.ts'
import { forget, recall, remember, sessionSet, sessionState } from './functions/memory.ts'
import { logError } from './functions/ops-log-error.ts'
import { diagnose } from './functions/support-diagnose.ts'
import { createTicket, findTicketsTool } from './functions/support-tickets.ts'
import { readResult } from './kept-results.ts'
import type { Tool } from './tool.ts'

/** The tools that every installation has, and that nothing takes the place of. */
export const BUILT_IN_TOOLS: readonly Tool[] = [
  createTicket,
  findTicketsTool,
  refundStatus,
  recordRefund,
  diagnose,
  logError,
  echo,
  noOp,
  readResult,
  recall,
  remember,
  forget,
  sessionState,
  sessionSet,
]
