// What a command is to show a model: parts of the plan's recipe, within what the recipe allows and the window of the model holds.
//   R1. The window is that of the smallest model that may be asked: a failover must not fail for the size of the prompt.
//   R2. Without a recipe nothing is put together, and nothing is read.
//   R3. Tables for counting are loaded at the first text that may not fit.
import type { StepCommand } from '@baton/contracts'
import type { Shown } from '@baton/flow'
import type { ContextPart, ContextSpec, Plan } from '@baton/flow/plan'
import type { WorkContext } from '@baton/service'
import type { SessionStore, SessionTurn } from '@baton/store'
import type { Model, Said } from '../model.ts'
import { assembleContext, fitsSurely, type LeftOut, type Part } from './assemble.policy.ts'
import { conversationFits, fitConversation } from './conversation.policy.ts'
import { entriesOf, entriesOfTurns } from './entries.policy.ts'
import { tokenCounter } from './tokens.adapter.ts'
import { encodingOf, tokensAtMost, windowOf, type CountTokens, type Encoding } from './tokens.policy.ts'

/** Turns of a conversation that are shown where neither part nor flow says how many. */
const TURNS = 10
/** Share of a window that is kept for the answer where the catalogue does not say how long it may be, and its most. */
const ANSWER = { share: 0.25, tokensMax: 4_096 } as const
/** Tokens of marks around the parts. */
const MARKS = 120

/** What is shown beside the prompt, and what was left out of it. */
export type Seen = { readonly shown: Shown; readonly leftOut: readonly LeftOut[] }
export const NOTHING_SEEN: Seen = { shown: {}, leftOut: [] }

/** What the meter says of it (C1). */
export const leftOutOf = ({ leftOut }: Pick<Seen, 'leftOut'>): { leftOut?: LeftOut[] } =>
  leftOut.length === 0 ? {} : { leftOut: [...leftOut] }

export type ContextReader = {
  /** The parts of a recipe. `beside` is the prompt that they come to stand with. Throws `context.too_large`. */
  readonly read: (
    command: StepCommand,
    context: Parts,
    recipe: { readonly spec: ContextSpec | undefined; readonly names: readonly string[]; readonly beside: string },
  ) => Promise<Seen>
  /** The conversation of an agent within the window (the default recipe of agents). */
  readonly fit: (
    said: readonly Said[],
    room: { readonly names: readonly string[]; readonly beside: string },
  ) => Promise<{ readonly said: readonly Said[]; readonly leftOut: readonly LeftOut[] }>
}

type Parts = Pick<WorkContext, 'plan' | 'parts'>
/** A part with the turns it was made of. */
type Found = Part & { readonly turns: readonly SessionTurn[] }
type Window = { readonly tokens: number; readonly encoding: Encoding }

/** R1: the smallest of those that are known. */
const smallestWindow = (models: readonly Model[]): Window | undefined => {
  let smallest: Window | undefined
  for (const { about } of models) {
    const contextTokens = about?.capabilities.contextTokens
    if (about === undefined || contextTokens === undefined) continue
    const answer = Math.min(about.outputTokensMax, ANSWER.tokensMax, Math.floor(contextTokens * ANSWER.share))
    const tokens = windowOf(contextTokens, about.model) - answer
    if (smallest === undefined || tokens < smallest.tokens) smallest = { tokens, encoding: encodingOf(about.model) }
  }
  return smallest
}

type Sessions = Pick<SessionStore, 'history' | 'counted'>

const historyOf = (sessions: Sessions, command: StepCommand, plan: Plan, part: ContextPart): Promise<readonly SessionTurn[]> => {
  const { tenant, session, rootRunId } = command
  if (session === undefined) return Promise.resolve([])
  const limit = 2 * (part.turns ?? plan.history?.turns ?? TURNS)
  return sessions.history({ tenant, session, limit, exceptRunId: rootRunId })
}

/** So that no process counts them again. What fails is counted by the next one. */
const keepCounts = (sessions: Sessions, { tenant, session }: StepCommand, turns: readonly SessionTurn[], count: CountTokens): void => {
  const fresh = turns.filter(({ tokens }) => tokens === null)
  if (session === undefined || fresh.length === 0) return
  const counted = fresh.map(({ runId, role, text }) => ({ runId, role, tokens: count(text) }))
  sessions.counted({ tenant, session, turns: counted }).catch(() => undefined)
}

const partOf = async (sessions: Sessions, command: StepCommand, { plan, parts }: Parts, part: ContextPart): Promise<Found> => {
  const isHistory = 'history' in part.from
  const turns = isHistory ? await historyOf(sessions, command, plan, part) : []
  const tokens = part.tokens ?? (isHistory ? plan.history?.tokens : undefined)
  return {
    turns,
    name: part.name,
    entries: isHistory ? entriesOfTurns(turns) : entriesOf(parts[part.name] ?? null),
    priority: part.priority,
    // The oldest of a conversation go first, whichever end is named.
    cut: isHistory && part.cut === 'end' ? 'start' : part.cut,
    ...(tokens === undefined ? {} : { tokens }),
    ...(part.least === undefined ? {} : { least: part.least }),
  }
}

const shownOf = (made: readonly { readonly name: string; readonly text: string }[]): Shown =>
  Object.fromEntries(made.map(({ name, text }) => [name, text]))

/** Makes it. */
export const createContextReader = ({
  sessions,
  resolve,
  counter = tokenCounter,
}: {
  readonly sessions: Sessions
  /** Models by the names a step has. */
  readonly resolve: (names: readonly string[]) => readonly Model[]
  readonly counter?: (encoding: Encoding) => Promise<CountTokens>
}): ContextReader => {
  const windowOfNames = (names: readonly string[]): Window | undefined => {
    try {
      return smallestWindow(resolve(names))
    } catch {
      return undefined // Names that lead nowhere are told by who asks them.
    }
  }
  return {
    read: async (command, context, { spec, names, beside }) => {
      if (spec === undefined || spec.parts.length === 0) return NOTHING_SEEN // R2
      const parts = await Promise.all(spec.parts.map((part) => partOf(sessions, command, context, part)))
      const window = windowOfNames(names)
      let tokens = window === undefined ? spec.tokens : Math.min(spec.tokens ?? Infinity, window.tokens - tokensAtMost(beside) - MARKS)
      if (fitsSurely(parts, tokens))
        return {
          shown: shownOf(parts.map(({ name, entries }) => ({ name, text: entries.map(({ text }) => text).join('\n') }))),
          leftOut: [],
        }
      const count = await counter(window?.encoding ?? 'o200k') // R3
      for (const { turns } of parts) keepCounts(sessions, command, turns, count)
      if (window !== undefined) tokens = Math.min(spec.tokens ?? Infinity, window.tokens - count(beside) - MARKS)
      const made = assembleContext({ parts, tokens: tokens === undefined ? undefined : Math.max(0, tokens), count })
      return { shown: shownOf(made.parts), leftOut: made.leftOut }
    },
    fit: async (said, { names, beside }) => {
      const window = windowOfNames(names)
      if (window === undefined || conversationFits(said, window.tokens - tokensAtMost(beside))) return { said, leftOut: [] }
      const count = await counter(window.encoding) // R3
      return fitConversation(said, Math.max(0, window.tokens - count(beside) - MARKS), count)
    },
  }
}
