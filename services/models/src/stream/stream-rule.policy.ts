// Which answers are streamed.
//   Q1. What people read while it is written: free text, not JSON, and not of work in bulk.
import type { JsonSchema } from '@baton/contracts/json'
import { isJsonObject } from '@baton/contracts/json'
import type { StepCommand } from '@baton/contracts'

/** `text`: as Q1 says. */
export const STREAMS = ['text', 'all', 'never'] as const
export type Streams = (typeof STREAMS)[number]

const isText = (schema: JsonSchema | undefined): boolean =>
  schema === undefined || schema === true || (isJsonObject(schema) && schema['type'] === 'string')

/** Whether this answer is streamed. */
export const isStreamed = (rule: Streams, { priority }: Pick<StepCommand, 'priority'>, schema: JsonSchema | undefined): boolean => {
  if (rule === 'never') return false
  return rule === 'all' || (isText(schema) && priority !== 'low' && priority !== 'bulk') // Q1
}
