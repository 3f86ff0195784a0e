// A payment sink: where a real one would charge a card, this one writes a row. Nothing in it prevents a second row of one effect: that
// there is none is what the ledger, and the question by `reconcile`, are for.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { defineTool, type ToolContext } from '../tool.ts'

const Charged = z.object({ payment: z.string(), account: z.string(), amount: z.number(), currency: z.string(), atMs: z.number() })
type PaymentRow = {
  readonly payment: string
  readonly account: string
  readonly cents: string
  readonly currency: string
  readonly atMs: string
}

const chargedBy = async (effectKey: string, { db, tenant }: ToolContext): Promise<z.infer<typeof Charged> | undefined> => {
  const { rows } = await db.query<PaymentRow>(
    'select id as payment, account, cents, currency, at_ms as "atMs" from payments where tenant = $1 and effect_key = $2 order by at_ms limit 1',
    [tenant, effectKey],
    { name: 'payment-of-effect' },
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { payment, account, currency } = row
  return { payment, account, amount: Number(row.cents) / 100, currency, atMs: Number(row.atMs) }
}

/** Charges an account. Irreversible: a person says yes to exactly this charge. */
export const charge = defineTool({
  name: 'payments/charge',
  about: 'Charges an account with an amount. It cannot be undone.',
  effect: 'irreversible',
  input: z.strictObject({
    account: z.string().min(1).max(200),
    amount: z.number().positive().max(1e9),
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency like EUR'),
    reference: z.string().max(500).default(''),
  }),
  output: Charged,
  timeoutMs: 10_000,
  run: async ({ account, amount, currency, reference }, { db, tenant, effectKey, runId, nowMs }) => {
    const payment = `pay_${randomUUID()}`
    const atMs = nowMs()
    await db.query(
      'insert into payments (tenant, id, effect_key, run_id, account, cents, currency, reference, at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
      [tenant, payment, effectKey, runId, account, Math.round(amount * 100), currency, reference, atMs],
      { name: 'payment-charge' },
    )
    return { payment, account, amount, currency, atMs }
  },
  reconcile: chargedBy,
})
