// What the one who does the work of a step gets to see: its input, the parts of its context, media, and the key of its cache.
import type { Json } from '@baton/contracts/json'
import type { StepCommand } from '@baton/contracts'
import type { ContextSpec } from '@baton/flow/plan'
import type { Scope } from '@baton/flow/program'
import { bufferContents } from './buffers.ts'
import { placeOf } from './frames.ts'
import { agentOf } from './own-work.ts'
import { scopeOf } from './scope.ts'
import type { Place, Turn } from './turn.ts'

export type Seen = Pick<StepCommand, 'input' | 'context' | 'media' | 'cacheKey'>

/** The input of a step: what its guards made of it, else what it says. */
export const inputOf = (turn: Turn, { frame, node }: Place): Json =>
  frame.visit?.cleared?.input ?? turn.program.value(node.with, scopeOf(turn, turn.program.plan, frame))

/** Everything a step sees. A turn of an agent sees the context of the agent and the media of the step. */
export const seenBy = (turn: Turn, place: Place): Seen => {
  const { frame, node } = place
  const input = inputOf(turn, place)
  const { work } = frame
  if (work === undefined) return { input, ...beside(turn, place, node.context) }
  if (work.is !== 'turn') return { input }
  const owner = frame.owner === null ? undefined : placeOf(turn, frame.owner.frame)
  if (owner === undefined) return { input }
  return { input, ...beside(turn, owner, agentOf(turn.program.plan, work.turn.agent).context ?? owner.node.context) }
}

const beside = (turn: Turn, { frame, node }: Place, context: ContextSpec | undefined): Omit<Seen, 'input'> => {
  const { media, cache } = node
  if (context === undefined && media === undefined && cache?.key === undefined) return {}
  const { program } = turn
  const scope = scopeOf(turn, program.plan, frame)
  return {
    ...(context === undefined ? {} : { context: partsOf(turn, context, scope) }),
    ...(media === undefined ? {} : { media: media.flatMap((value) => listed(program.value(value, scope))) }),
    ...(cache?.key === undefined ? {} : { cacheKey: program.value(cache.key, scope) }),
  }
}

/** A list of media counts as several, nothing as none. */
const listed = (value: Json): readonly Json[] => (value === null ? [] : Array.isArray(value) ? value : [value])

/** Parts of the context by name; those of the conversation are found by the service. */
const partsOf = (turn: Turn, { parts }: ContextSpec, scope: Scope): Record<string, Json> =>
  Object.fromEntries(
    parts.flatMap(({ name, from }) => {
      if ('history' in from) return []
      return [[name, 'value' in from ? turn.program.value(from.value, scope) : bufferContents(turn, from.buffer)] as const]
    }),
  )
