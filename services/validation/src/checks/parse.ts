import type { z } from 'zod'
import { Fault, type Json, type JsonObject } from '@baton/contracts'

const first = (error: z.ZodError): { field: string; reason: string } => {
  const [issue] = error.issues
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const field = [...(issue?.path ?? []), ...keys.slice(0, 1)].map(String).join('.')
  return { field: field === '' ? '(root)' : field, reason: issue?.message ?? 'invalid' }
}

/** Options as the check's schema makes them; `must` is for every check and taken out before. */
export const parseOptions = <S extends z.ZodType>(check: string, schema: S, options: JsonObject): z.output<S> => {
  const { must: _must, ...own } = options
  const parsed = schema.safeParse(own)
  if (parsed.success) return parsed.data
  const { field, reason } = first(parsed.error)
  throw new Fault('flow.invalid', `check ${check}: option ${field}: ${reason}`, { check, field })
}

/** The input as the check's schema makes it. */
export const parseInput = <S extends z.ZodType>(check: string, schema: S, input: Json): z.output<S> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const { field, reason } = first(parsed.error)
  throw new Fault('tool.arguments_invalid', `check ${check}: ${field}: ${reason}`, { check, field })
}
