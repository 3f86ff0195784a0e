import { z } from 'zod'
import type { Json } from '@baton/contracts'
import { defineTool } from '../tool.ts'

/** Gives back what it was given. */
export const echo = defineTool({
  name: 'demo/echo',
  about: 'Gives back what it was given.',
  effect: 'read',
  input: z.custom<Json>(),
  output: z.custom<Json>(),
  timeoutMs: 1_000,
  traced: false,
  run: (args) => args,
})

/** The step of the benchmark: next to nothing, and checkable. */
export const noOp = defineTool({
  name: 'demo/no_op',
  about: 'Gives back v + 1.',
  effect: 'read',
  input: z.object({ v: z.number().default(0) }),
  output: z.object({ v: z.number() }),
  timeoutMs: 1_000,
  traced: false,
  run: ({ v }) => ({ v: v + 1 }),
})
