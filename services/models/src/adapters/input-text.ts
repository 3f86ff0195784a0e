import { isJsonObject, type Json } from '@baton/contracts/json'

/** What a local model reads: the input itself when it is text, its `text`, or the rendered prompt. */
export const textOf = (input: Json, prompt: string): string => {
  if (typeof input === 'string') return input
  const text = isJsonObject(input) ? input['text'] : undefined
  return typeof text === 'string' ? text : prompt
}
