// What was said, out of the input or output of a run: what the conversation of a session keeps.
//   T1. A text is itself. Of an object, it is its one field with a usual name; else the whole is kept as JSON.
//   T2. At most `TURN_CHARS_MAX` characters are kept, and a cut is named.
import { isJsonObject, type Json } from '@baton/contracts'
import type { ContextSpec, Plan } from '@baton/flow/plan'

/** Characters of one turn. */
export const TURN_CHARS_MAX = 32_000
/** Fields that hold what was said, the likeliest first. */
const FIELDS = ['text', 'message', 'question', 'query', 'prompt', 'content', 'answer', 'reply', 'output'] as const

const cut = (text: string): string =>
  text.length <= TURN_CHARS_MAX ? text : `${text.slice(0, TURN_CHARS_MAX)}\n[cut: the first ${TURN_CHARS_MAX} of ${text.length} characters]` // T2

/** The text of a turn (T1); empty where there is nothing. */
export const turnTextOf = (value: Json | undefined): string => {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return cut(value)
  if (!isJsonObject(value)) return cut(JSON.stringify(value))
  const field = FIELDS.map((name) => value[name]).find((found) => typeof found === 'string' && found.trim() !== '')
  return cut(typeof field === 'string' ? field : JSON.stringify(value))
}

const showsHistory = (context: ContextSpec | undefined): boolean => context?.parts.some(({ from }) => 'history' in from) === true

/** Whether a flow uses the conversation of its session: only then it is kept. */
export const keepsHistory = ({ history, nodes, agents = {} }: Pick<Plan, 'history' | 'nodes' | 'agents'>): boolean =>
  history !== undefined ||
  Object.values(nodes).some(({ context }) => showsHistory(context)) ||
  Object.values(agents).some(({ context }) => showsHistory(context))
