// From the messages of a conversation to what a model is told.
//   W1. Every call of a tool is answered before anything else is said, exactly once: providers refuse a conversation where one is not.
//   W2. What a tool gave is cut at `RESULT_CHARS_MAX`, and the cut is named.
//   W3. A fault is told by its message and code: enough to do something else, nothing of the inside.
import type { AgentResult, AgentTurn } from '@baton/contracts'
import type { Json } from '@baton/contracts/json'
import type { Said } from '../model.ts'
import type { Message } from './piece.ts'

/** Of what one tool gave, in characters. */
export const RESULT_CHARS_MAX = 100_000

/** What a turn says before the model answers: what became of its calls, and what the engine has to say. */
export const newsOf = ({ results, note }: Pick<AgentTurn, 'results' | 'note'>): readonly Message[] => [
  ...results.map((result) => ({ role: 'tool' as const, result })),
  ...(note === undefined ? [] : [{ role: 'user' as const, text: note }]),
]

const cut = (text: string): string =>
  text.length <= RESULT_CHARS_MAX
    ? text
    : `${text.slice(0, RESULT_CHARS_MAX)}\n[cut: this was the beginning, ${RESULT_CHARS_MAX} of ${text.length} characters]` // W2

const textOf = (value: Json): string => cut(typeof value === 'string' ? value : JSON.stringify(value))

type Outputs = ReadonlyMap<string, Json>

const toldOf = ({ output, outputRef, fault }: AgentResult, outputs: Outputs): { readonly text: string; readonly failed: boolean } => {
  if (fault !== undefined) return { text: `The call failed: ${fault.message} (${fault.code})`, failed: true } // W3
  const whole = outputRef === undefined ? output : (outputs.get(outputRef.sha256) ?? output)
  return { text: textOf(whole ?? null), failed: false }
}

const UNANSWERED = 'This call was not made.'

/** What is said of messages; `outputs` holds what tools gave by reference. */
export const saidOf = (messages: readonly Message[], outputs: Outputs): readonly Said[] => {
  const said: Said[] = []
  const open = new Map<string, string>()
  const closeOpen = (): void => {
    for (const [id, tool] of open) said.push({ role: 'tool', id, tool, text: UNANSWERED, failed: true }) // W1
    open.clear()
  }
  for (const message of messages) {
    if (message.role === 'tool') {
      const { id, tool } = message.result
      const { text, failed } = toldOf(message.result, outputs)
      if (open.delete(id)) said.push({ role: 'tool', id, tool, text, failed })
      else {
        closeOpen()
        said.push({ role: 'user', text: `${tool}: ${text}` }) // W1: nobody here called it
      }
      continue
    }
    closeOpen()
    if (message.role === 'assistant') for (const { id, tool } of message.calls) open.set(id, tool)
    said.push(message)
  }
  closeOpen()
  return said
}
