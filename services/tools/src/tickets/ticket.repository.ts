import { sha256 } from '@baton/contracts'
import type { Database } from '@baton/store'

export type Ticket = {
  readonly id: string
  readonly runId: string
  readonly subject: string
  readonly body: string
  readonly intent: string | null
  readonly customer: string | null
  readonly queue: string
  readonly priority: string
  readonly status: string
  readonly createdAtMs: number
}
export type NewTicket = Omit<Ticket, 'id' | 'status'> & { readonly tenant: string; readonly effectKey: string }
type TicketRow = Omit<Ticket, 'createdAtMs'> & { readonly createdAtMs: string }

const FIELDS = `id, run_id as "runId", subject, body, intent, customer, queue, priority, status, created_at_ms as "createdAtMs"`
const ticketOf = (row: TicketRow): Ticket => ({ ...row, createdAtMs: Number(row.createdAtMs) })

/** Derived from the effect's key, so that a ticket made again is the same ticket. */
const ticketIdOf = (effectKey: string): string => `T-${sha256(effectKey).slice(0, 10).toUpperCase()}`

/** Makes the ticket of this effect; the one that is there already stays as it is. */
export const insertTicket = async (db: Database, ticket: NewTicket): Promise<void> => {
  await db.query(
    `insert into support_tickets (tenant, id, effect_key, run_id, subject, body, intent, customer, queue, priority, created_at_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (tenant, effect_key) do nothing`,
    [
      ticket.tenant,
      ticketIdOf(ticket.effectKey),
      ticket.effectKey,
      ticket.runId,
      ticket.subject,
      ticket.body,
      ticket.intent,
      ticket.customer,
      ticket.queue,
      ticket.priority,
      ticket.createdAtMs,
    ],
    { name: 'ticket-insert' },
  )
}

/** The ticket that an effect made, if it did. */
export const ticketOfEffect = async (
  db: Database,
  { tenant, effectKey }: { tenant: string; effectKey: string },
): Promise<Ticket | undefined> => {
  const { rows } = await db.query<TicketRow>(
    `select ${FIELDS} from support_tickets where tenant = $1 and effect_key = $2`,
    [tenant, effectKey],
    {
      name: 'ticket-of-effect',
    },
  )
  return rows[0] === undefined ? undefined : ticketOf(rows[0])
}

export type TicketFilter = {
  readonly tenant: string
  readonly runId?: string | undefined
  readonly customer?: string | undefined
  readonly status?: string | undefined
  readonly limit: number
}

/** Newest first. */
export const findTickets = async (db: Database, filter: TicketFilter): Promise<readonly Ticket[]> => {
  const { rows } = await db.query<TicketRow>(
    `select ${FIELDS} from support_tickets
     where tenant = $1 and ($2::text is null or run_id = $2) and ($3::text is null or customer = $3) and ($4::text is null or status = $4)
     order by created_at_ms desc, id limit $5`,
    [filter.tenant, filter.runId ?? null, filter.customer ?? null, filter.status ?? null, filter.limit],
    { name: 'ticket-find' },
  )
  return rows.map(ticketOf)
}

/** How many tickets there are, and of how many different runs: equal when no run made two. */
export const countTickets = async (db: Database, tenant: string): Promise<{ readonly tickets: number; readonly runs: number }> => {
  const { rows } = await db.query<{ tickets: string; runs: string }>(
    'select count(*) as tickets, count(distinct run_id) as runs from support_tickets where tenant = $1',
    [tenant],
    { name: 'ticket-count' },
  )
  return { tickets: Number(rows[0]?.tickets ?? 0), runs: Number(rows[0]?.runs ?? 0) }
}
