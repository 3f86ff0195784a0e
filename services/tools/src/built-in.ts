import { recordRefund, refundStatus } from './functions/billing-refunds.ts'
import { echo, noOp } from './functions/demo.ts'
import { sendMail } from './functions/mail.ts'
import { forget, recall, remember, sessionSet, sessionState } from './functions/memory.ts'
import { logError } from './functions/ops-log-error.ts'
import { charge } from './functions/payments.ts'
import { diagnose } from './functions/support-diagnose.ts'
import { createTicket, findTicketsTool } from './functions/support-tickets.ts'
import { readResult } from './kept-results.ts'
import type { Tool } from './tool.ts'

/** The tools that every installation has. */
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
  charge,
  sendMail,
  recall,
  remember,
  forget,
  sessionState,
  sessionSet,
]
