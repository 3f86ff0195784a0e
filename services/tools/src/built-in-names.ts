/** Names of the tools that every installation has, for those who must not load the tools to know. */
export const BUILT_IN_TOOL_NAMES: readonly string[] = [
  'baton/read_result',
  'billing/record_refund',
  'billing/refund_status',
  'code/run',
  'demo/echo',
  'demo/no_op',
  'mail/send',
  'ops/log_error',
  'payments/charge',
  'support/create_ticket',
  'support/diagnose',
  'support/find_tickets',
  'web/search',
]
