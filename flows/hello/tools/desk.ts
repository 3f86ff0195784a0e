// A function as a tool: export one, and every flow can name it.
import { defineTool } from '@baton/tools'
import { z } from 'zod'

const REPLIES = {
  cards: 'The card desk has your question.',
  refunds: 'The refund desk has your question.',
  front: 'The front desk has your question.',
} as const

/** Takes a question to a desk, and says whether it looks urgent. */
export const desk = defineTool({
  name: 'hello/desk',
  about: 'Takes a question to a desk.',
  effect: 'read',
  input: z.strictObject({ desk: z.enum(['cards', 'refunds', 'front']), text: z.string().max(20_000) }),
  output: z.object({ desk: z.string(), urgent: z.boolean(), reply: z.string() }),
  timeoutMs: 1_000,
  run: ({ desk: name, text }) => ({
    desk: name,
    urgent: /\b(stolen|lost|urgent|fraud|immediately|help)\b/i.test(text),
    reply: REPLIES[name],
  }),
})
