import { z } from 'zod'
import { findTickets, insertTicket, ticketOfEffect, type Ticket } from '../tickets/ticket.repository.ts'
import { defineTool, type ToolContext } from '../tool.ts'

const SUBJECT_CHARS_MAX = 120

const subjectOf = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= SUBJECT_CHARS_MAX ? line : `${line.slice(0, SUBJECT_CHARS_MAX - 1).trimEnd()}…`
}

const Created = z.object({ ticket: z.string(), subject: z.string(), queue: z.string(), priority: z.string(), status: z.string() })
const createdOf = (ticket: Ticket): z.infer<typeof Created> => ({
  ticket: ticket.id,
  subject: ticket.subject,
  queue: ticket.queue,
  priority: ticket.priority,
  status: ticket.status,
})

const madeBy = async (effectKey: string, { db, tenant }: ToolContext): Promise<z.infer<typeof Created> | undefined> => {
  const ticket = await ticketOfEffect(db, { tenant, effectKey })
  return ticket === undefined ? undefined : createdOf(ticket)
}

/** Opens a ticket: one for each effect key, however often it is asked for. */
export const createTicket = defineTool({
  name: 'support/create_ticket',
  about: 'Opens a support ticket and gives its number.',
  effect: 'write',
  idempotent: true,
  input: z.strictObject({
    text: z.string().min(1).max(20_000),
    subject: z.string().max(500).nullish(),
    intent: z.string().max(200).nullish(),
    customer: z.string().max(256).nullish(),
    queue: z.string().min(1).max(100).nullish(),
    priority: z.enum(['emergency', 'high', 'normal', 'low']).nullish(),
  }),
  output: Created,
  timeoutMs: 5_000,
  run: async (args, context) => {
    await insertTicket(context.db, {
      tenant: context.tenant,
      effectKey: context.effectKey,
      runId: context.runId,
      subject: subjectOf(args.subject ?? args.text),
      body: args.text,
      intent: args.intent ?? null,
      customer: args.customer ?? null,
      queue: args.queue ?? 'support',
      priority: args.priority ?? 'normal',
      createdAtMs: context.nowMs(),
    })
    const made = await madeBy(context.effectKey, context)
    if (made === undefined) throw new Error('the ticket was made and is gone')
    return made
  },
  reconcile: madeBy,
})

/** Tickets of a customer or a run. */
export const findTicketsTool = defineTool({
  name: 'support/find_tickets',
  about: 'Finds tickets by customer, run or status, newest first.',
  effect: 'read',
  input: z.strictObject({
    customer: z.string().max(256).nullish(),
    run: z.string().max(80).nullish(),
    status: z.string().max(40).nullish(),
    limit: z.number().int().min(1).max(50).nullish(),
  }),
  output: z.object({ count: z.number(), tickets: z.array(Created.extend({ createdAtMs: z.number() })) }),
  timeoutMs: 5_000,
  run: async (args, { db, tenant }) => {
    const found = await findTickets(db, {
      tenant,
      customer: args.customer ?? undefined,
      runId: args.run ?? undefined,
      status: args.status ?? undefined,
      limit: args.limit ?? 10,
    })
    return { count: found.length, tickets: found.map((ticket) => ({ ...createdOf(ticket), createdAtMs: ticket.createdAtMs })) }
  },
})
