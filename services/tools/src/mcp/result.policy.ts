// What a call gave, as an output.
//   R1. Structured content is the output where there is any, and fits the schema that the tool declares.
//   R2. Else the output is its text, and a list of what is not text.
import { Fault, isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { ToolFailure } from '../tool-run.ts'
import type { Shape } from '../shape.ts'

const BLOCKS_MAX = 1_000

export type CallResult = { readonly isError: boolean; readonly structured: Json | undefined; readonly blocks: readonly JsonObject[] }

const invalid = (tool: string, reason: string): ToolFailure =>
  new ToolFailure(new Fault('tool.result_invalid', `${tool} ${reason}`, { tool }), false) // the effect may have happened

/** The parts of a result. Throws `tool.result_invalid`. */
export const readResult = (tool: string, result: Json): CallResult => {
  if (!isJsonObject(result)) throw invalid(tool, 'answered what is not a result')
  const { content = [], structuredContent, isError } = result
  if (!Array.isArray(content) || content.length > BLOCKS_MAX)
    throw invalid(tool, `answered without content, or with more than ${BLOCKS_MAX} pieces`)
  const blocks = content.filter(isJsonObject)
  if (blocks.length !== content.length) throw invalid(tool, 'answered with content that cannot be read')
  return { isError: isError === true, structured: structuredContent, blocks }
}

/** The text of a result. */
export const textOfBlocks = (blocks: readonly JsonObject[]): string =>
  blocks.flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : [])).join('\n')

/** Pieces with bytes in them, which are kept apart. */
export const bytesOf = (
  block: JsonObject,
): { readonly base64: string; readonly mediaType: string; readonly rest: JsonObject } | undefined => {
  const { data, mimeType, resource, ...rest } = block
  if (typeof data === 'string')
    return { base64: data, mediaType: typeof mimeType === 'string' ? mimeType : 'application/octet-stream', rest }
  if (!isJsonObject(resource) || typeof resource['blob'] !== 'string') return undefined
  const { blob, mimeType: kind, ...more } = resource
  return { base64: blob, mediaType: typeof kind === 'string' ? kind : 'application/octet-stream', rest: { ...rest, resource: more } }
}

/** The output of a structured result (R1). Throws `tool.result_invalid`. */
export const checkStructured = (tool: string, { structured, isError }: CallResult, shape: Shape | undefined): Json | undefined => {
  if (shape === undefined || isError) return structured
  if (structured === undefined) throw invalid(tool, 'answered without the structured content that it declares')
  const checked = shape.safeParse(structured)
  if (checked.success) return structured
  const [issue] = checked.error.issues
  throw invalid(tool, `answered what its schema does not allow: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`)
}
