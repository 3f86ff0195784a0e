// A mail sink: where a real one would send, this one writes a row, and nothing in it prevents a second one (see payments.ts).
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { defineTool, type ToolContext } from '../tool.ts'

const Sent = z.object({ mail: z.string(), to: z.array(z.string()), subject: z.string(), atMs: z.number() })
type MailRow = { readonly mail: string; readonly recipients: string; readonly subject: string; readonly atMs: string }

const sentBy = async (effectKey: string, { db, tenant }: ToolContext): Promise<z.infer<typeof Sent> | undefined> => {
  const { rows } = await db.query<MailRow>(
    'select id as mail, recipients, subject, at_ms as "atMs" from mails where tenant = $1 and effect_key = $2 order by at_ms limit 1',
    [tenant, effectKey],
    { name: 'mail-of-effect' },
  )
  const [row] = rows
  if (row === undefined) return undefined
  return { mail: row.mail, to: row.recipients.split(','), subject: row.subject, atMs: Number(row.atMs) }
}

const Address = z.email().max(320)

/** Sends a mail. Irreversible, and data leaves the house. */
export const sendMail = defineTool({
  name: 'mail/send',
  about: 'Sends an e-mail. It cannot be called back.',
  effect: 'irreversible',
  outbound: true,
  input: z.strictObject({
    to: z.union([Address, z.array(Address).min(1).max(50)]),
    subject: z.string().min(1).max(500),
    text: z.string().max(100_000),
  }),
  output: Sent,
  timeoutMs: 10_000,
  run: async ({ to, subject, text }, { db, tenant, effectKey, runId, nowMs }) => {
    const recipients = typeof to === 'string' ? [to] : to
    const mail = `mail_${randomUUID()}`
    const atMs = nowMs()
    await db.query(
      'insert into mails (tenant, id, effect_key, run_id, recipients, subject, body, at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8)',
      [tenant, mail, effectKey, runId, recipients.join(','), subject, text, atMs],
      { name: 'mail-send' },
    )
    return { mail, to: recipients, subject, atMs }
  },
  reconcile: sentBy,
})
