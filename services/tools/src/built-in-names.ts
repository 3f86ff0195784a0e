/** Names of the tools that every installation has, for those who must not load the tools to know. */
export const BUILT_IN_TOOL_NAMES: readonly string[] = [
  'baton/read_result',
  'billing/record_refund',
  'billing/refund_status',
  'demo/echo',
  'demo/no_op',
  'ops/log_error',
  'support/create_ticket',
  'support/diagnose',
  'support/find_tickets',
]
