// What the rules say of one call.
//   P1. A call that a rule forbids is not made: each list of `only` has to name flow, step and agent, each condition has to hold, and a
//       condition that cannot be said of these arguments does not hold.
//   P2. The class of a tool is what the configuration says, else what the tool says of itself.
import { Fault, type Json } from '@baton/contracts'
import { matchesName } from '../config/names.ts'
import type { Tool } from '../tool.ts'
import type { ToolRule } from './rules.config.ts'

/** Who calls, and from where. */
export type Caller = {
  readonly flow: string
  readonly step: string
  readonly agent?: string
  readonly user?: string
  readonly params: { readonly [name: string]: Json }
}

/** A rule that wants a person, and why. */
export type AskRule = Pick<ToolRule, 'queue' | 'sla'> & { readonly reason: string }

const rulesOf = (rules: readonly ToolRule[], tool: string): readonly ToolRule[] => rules.filter(({ tools }) => matchesName(tools, tool))

/** The tool with the class that the configuration gives it (P2). The last rule that says something counts. */
export const classified = (tool: Tool, rules: readonly ToolRule[]): Tool => {
  let made = tool
  for (const { effect, outside, private: secret, outbound } of rulesOf(rules, tool.name)) {
    if (effect !== undefined) made = { ...made, effect }
    if (outside !== undefined) made = { ...made, outside }
    if (secret !== undefined) made = { ...made, private: secret }
    if (outbound !== undefined) made = { ...made, outbound }
  }
  return made
}

const seenBy = (args: Json, { params, flow, step, agent = '', user = '' }: Caller): { readonly [name: string]: Json } => ({
  args,
  params,
  call: { flow, step, agent, user },
})

const checkOnly = (tool: Tool, { only }: ToolRule, caller: Caller): void => {
  if (only === undefined) return
  const { flows, steps, agents } = only
  const strangers: readonly (readonly [string, readonly string[] | undefined, string])[] = [
    ['flow', flows, caller.flow],
    ['step', steps, caller.step],
    ['agent', agents, caller.agent ?? ''],
  ]
  for (const [what, names, name] of strangers)
    if (names !== undefined && !matchesName(names, name))
      throw new Fault('tool.denied', `${tool.name} may not be called by ${what} ${name === '' ? '(none)' : name}`, {
        tool: tool.name,
        rule: `only.${what}s`,
      })
}

/** Throws `tool.denied` where a rule does not allow the call (P1). */
export const checkAllowed = (tool: Tool, { rules, args, caller }: { rules: readonly ToolRule[]; args: Json; caller: Caller }): void => {
  for (const rule of rulesOf(rules, tool.name)) {
    checkOnly(tool, rule, caller)
    for (const { cel, condition } of rule.require)
      if (!holds(condition, seenBy(args, caller)))
        throw new Fault('tool.denied', `${tool.name}: ${cel} does not hold`, { tool: tool.name, rule: cel })
  }
}

const holds = (
  condition: { test(values: { readonly [name: string]: Json }): boolean },
  seen: { readonly [name: string]: Json },
): boolean => {
  try {
    return condition.test(seen)
  } catch {
    return false // P1
  }
}

/** The rules that want a person for these arguments; one whose condition cannot be said wants one. */
export const asking = (
  tool: Tool,
  { rules, args, caller }: { rules: readonly ToolRule[]; args: Json; caller: Caller },
): readonly AskRule[] =>
  rulesOf(rules, tool.name).flatMap(({ ask, queue, sla }) => {
    if (ask === undefined) return []
    if (ask !== true && !wants(ask.condition, seenBy(args, caller))) return []
    const reason = ask === true ? `A rule wants a person for ${tool.name}.` : `A rule wants a person: ${ask.cel}`
    return [{ reason, ...(queue === undefined ? {} : { queue }), ...(sla === undefined ? {} : { sla }) }]
  })

const wants = (
  condition: { test(values: { readonly [name: string]: Json }): boolean },
  seen: { readonly [name: string]: Json },
): boolean => {
  try {
    return condition.test(seen)
  } catch {
    return true
  }
}

/** Queue and time of a rule, whether or not it wants a person by itself: for questions that others want. */
export const routeOf = (tool: Tool, rules: readonly ToolRule[]): Pick<ToolRule, 'queue' | 'sla'> => {
  const named = rulesOf(rules, tool.name)
  const queue = named.findLast((rule) => rule.queue !== undefined)?.queue
  const sla = named.findLast((rule) => rule.sla !== undefined)?.sla
  return { ...(queue === undefined ? {} : { queue }), ...(sla === undefined ? {} : { sla }) }
}
