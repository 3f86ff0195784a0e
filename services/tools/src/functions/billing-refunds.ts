import { z } from 'zod'
import { defineTool } from '../tool.ts'

const RefundStatus = z.enum(['requested', 'approved', 'paid', 'refused'])
type RefundRow = {
  readonly status: z.infer<typeof RefundStatus>
  readonly cents: string | null
  readonly currency: string | null
  readonly atMs: string
}

const WORDS = {
  requested: 'was asked for and is being looked at',
  approved: 'was approved and is on its way',
  paid: 'was paid',
  refused: 'was refused',
}

const sentence = ({ status, cents, currency, atMs }: RefundRow): string => {
  const amount = cents === null || currency === null ? 'The refund' : `The refund of ${(Number(cents) / 100).toFixed(2)} ${currency}`
  return `${amount} ${WORDS[status]} (${new Date(Number(atMs)).toISOString().slice(0, 10)}).`
}

/** What the books say about the refund of a ticket. */
export const refundStatus = defineTool({
  name: 'billing/refund_status',
  about: 'Tells whether a refund is on record for a ticket, and how far it is.',
  effect: 'read',
  input: z.strictObject({ ticket: z.string().max(200).nullish() }),
  output: z.object({
    found: z.boolean(),
    ticket: z.string().nullable(),
    status: RefundStatus.nullable(),
    amount: z.number().nullable(),
    currency: z.string().nullable(),
    text: z.string(),
  }),
  timeoutMs: 5_000,
  run: async ({ ticket }, { db, tenant }) => {
    const { rows } = await db.query<RefundRow>(
      'select status, amount_cents as cents, currency, updated_at_ms as "atMs" from billing_refunds where tenant = $1 and ticket = $2',
      [tenant, ticket ?? ''],
      { name: 'refund-status' },
    )
    const [row] = rows
    if (row === undefined)
      return { found: false, ticket: ticket ?? null, status: null, amount: null, currency: null, text: 'No refund on record.' }
    const amount = row.cents === null ? null : Number(row.cents) / 100
    return { found: true, ticket: ticket ?? null, status: row.status, amount, currency: row.currency, text: sentence(row) }
  },
})

/** Writes how far a refund is. The last word for a ticket counts. */
export const recordRefund = defineTool({
  name: 'billing/record_refund',
  about: 'Records how far the refund of a ticket is.',
  effect: 'write',
  idempotent: true,
  input: z.strictObject({
    ticket: z.string().min(1).max(200),
    status: RefundStatus,
    amount: z.number().nonnegative().max(1e12).nullish(),
    currency: z.string().length(3).nullish(),
  }),
  output: z.object({ ticket: z.string(), status: RefundStatus }),
  timeoutMs: 5_000,
  run: async ({ ticket, status, amount, currency }, { db, tenant, nowMs }) => {
    await db.query(
      `insert into billing_refunds (tenant, ticket, status, amount_cents, currency, updated_at_ms) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant, ticket) do update set status = excluded.status, amount_cents = coalesce(excluded.amount_cents, billing_refunds.amount_cents),
         currency = coalesce(excluded.currency, billing_refunds.currency), updated_at_ms = excluded.updated_at_ms`,
      [tenant, ticket, status, amount === null || amount === undefined ? null : Math.round(amount * 100), currency ?? null, nowMs()],
    )
    return { ticket, status }
  },
})
