// Where content from strangers, private data and a way out come together, somebody could take the data out by giving orders in the content.
//   K1. A run is tainted from the first answer of a tool that reads what strangers wrote.
//   K2. Tainted, with private data, and about to reach outside or do what cannot be undone: a person is asked, or it is denied.
import type { TaintRule } from './rules.config.ts'
import type { Tool } from '../tool.ts'

const PRIVATE = 'private:'

/** Marks that an answer of this tool leaves on the run. */
export const marksOf = ({ name, outside = false, private: secret = false }: Tool): readonly string[] => [
  ...(outside ? [name.slice(0, 200)] : []),
  ...(secret ? [`${PRIVATE}${name}`.slice(0, 200)] : []),
]

/** Why this call needs more than the permission it has (K2); undefined where it does not. */
export const taintReason = (tool: Tool, marks: readonly string[], { action, assumePrivate }: TaintRule): string | undefined => {
  if (action === 'allow' || !(tool.outbound === true || tool.effect === 'irreversible')) return undefined
  const outside = marks.filter((mark) => !mark.startsWith(PRIVATE))
  const secret = marks.filter((mark) => mark.startsWith(PRIVATE)).map((mark) => mark.slice(PRIVATE.length))
  if (outside.length === 0 || (secret.length === 0 && !assumePrivate)) return undefined
  const data = secret.length === 0 ? 'may hold private data' : `holds private data of ${secret.join(', ')}`
  const way = tool.outbound === true ? 'sends data out' : 'cannot be undone'
  return `The run read content of strangers (${outside.join(', ')}) and ${data}; ${tool.name} ${way}.`
}
