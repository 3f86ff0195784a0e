// Whether a call may be made now: by the rules, by a person, by the limits.
//   M1. What cannot be undone is not done without a person: each such call of an agent is asked for, and each of a step that does not say
//       `effect: irreversible` (a flow that says so has a person in front of it, else it does not compile).
//   M2. Schema and rules are looked at when a person is asked and again when the call is made, for the arguments that it is made with.
import { Fault, sha256, canonicalJson, type Ask, type Json, type StepCommand } from '@baton/contracts'
import { overrideProblem, resolveParams } from '@baton/flow'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { Platform, WorkContext } from '@baton/service'
import { schemaOfShape } from '../shape.ts'
import { checkArguments } from '../tool-run.ts'
import type { Tool } from '../tool.ts'
import { approvalAsk, approvalOf, fingerprintOf, type Approval } from './approval.policy.ts'
import type { ToolRule, ToolRules } from './rules.config.ts'
import { asking, checkAllowed, routeOf, type AskRule, type Caller } from './rules.policy.ts'
import { taintReason } from './taint.policy.ts'
import { matchesName } from '../config/names.ts'

/** `run`: with these arguments. `ask`: a person first. */
export type Permit = { readonly do: 'run'; readonly input: Json; readonly approval?: Approval } | { readonly do: 'ask'; readonly ask: Ask }

type Wanted = { readonly command: StepCommand; readonly work: WorkContext; readonly tools: readonly Tool[] }

export type Permissions = (wanted: Wanted) => Promise<Permit>

const needsParams = (rules: readonly ToolRule[], tools: readonly Tool[]): boolean =>
  rules.some(
    ({ require, ask, tools: names }) =>
      (require.length > 0 || (ask !== undefined && ask !== true)) && tools.some(({ name }) => matchesName(names, name)),
  )

/** The params of the flow as they are now, not as they were when the run began: a limit that was lowered counts. */
const paramsOf = async ({ stores, config }: Platform, plan: Plan, tenant: string): Promise<{ readonly [name: string]: Json }> => {
  if (Object.keys(plan.params).length === 0) return {}
  const layers = await stores.params.overrides({ flow: plan.flow, tenant, environment: config.environment ?? '' })
  const merged = Object.assign({}, ...layers.map(({ values }) => values)) as { readonly [name: string]: Json } // values of params are JSON
  const fitting = Object.entries(merged).filter(([name, value]) => overrideProblem(plan, name, value) === undefined)
  return resolveParams(plan, Object.fromEntries(fitting))
}

const callerOf = ({ flow, call, user }: StepCommand, node: PlanNode, params: Caller['params']): Caller => ({
  flow,
  step: node.id,
  ...(call?.agent === undefined ? {} : { agent: call.agent }),
  ...(user?.id === undefined ? {} : { user: user.id }),
  params,
})

/** Why a person has to be asked for this tool; nothing where none has. Throws `tool.denied`. */
const reasonsFor = (
  tool: Tool,
  { command, work }: Wanted,
  { rules, args, caller }: { rules: ToolRules; args: Json; caller: Caller },
): readonly AskRule[] => {
  const reasons: AskRule[] = []
  const flowAsked = command.call === undefined && work.node.effect === 'irreversible'
  if (tool.effect === 'irreversible' && !flowAsked) reasons.push({ reason: `${tool.name} cannot be undone.` }) // M1
  const tainted = taintReason(tool, command.taint ?? [], rules.taint)
  if (tainted !== undefined) {
    if (rules.taint.action === 'deny') throw new Fault('tool.denied', tainted.slice(0, 1_000), { tool: tool.name, rule: 'taint' })
    const { queue } = rules.taint
    reasons.push({ reason: tainted, ...(queue === undefined ? {} : { queue }) })
  }
  return [...reasons, ...asking(tool, { rules: rules.rules, args, caller })]
}

/** Rules and schemas that an approval is given under. */
const policyOf = (tools: readonly Tool[], { version }: ToolRules): string =>
  sha256(
    canonicalJson({ version, tools: tools.map((tool) => ({ name: tool.name, effect: tool.effect, input: schemaOfShape(tool.input) })) }),
  )

const askOf = (
  { command, work, tools }: Wanted,
  reasons: readonly AskRule[],
  { rules, fingerprint }: { rules: ToolRules; fingerprint: string },
): Ask => {
  const [first] = tools
  const routes = [...reasons, ...tools.map((tool) => routeOf(tool, rules.rules))]
  const queue = routes.find((route) => route.queue !== undefined)?.queue
  const sla = routes.find((route) => route.sla !== undefined)?.sla
  const agent = command.call?.agent
  return approvalAsk({
    tools: tools.map(({ name }) => name),
    args: work.input,
    fingerprint,
    step: command.path,
    about: first?.about ?? '',
    schema: first === undefined ? true : schemaOfShape(first.input),
    risk: tools.some(({ effect }) => effect === 'irreversible') ? 'irreversible' : 'reversible',
    reasons: reasons.map(({ reason }) => reason),
    ...(agent === undefined ? {} : { agent }),
    ...(queue === undefined ? {} : { queue }),
    ...(sla === undefined ? {} : { slaMs: sla }),
  })
}

/** Looks at one command. Throws `tool.arguments_invalid`, `tool.denied`, `approval.refused`, `approval.stale`. */
export const createPermissions =
  (platform: Platform, rules: ToolRules): Permissions =>
  async (wanted) => {
    const { command, work, tools } = wanted
    const params = needsParams(rules.rules, tools) ? await paramsOf(platform, work.plan, command.tenant) : {}
    const caller = callerOf(command, work.node, params)
    const allow = (args: Json): void => {
      for (const tool of tools) checkAllowed(tool, { rules: rules.rules, args: checkArguments(tool, args), caller })
    }
    allow(work.input) // M2
    const reasons = tools.flatMap((tool) => reasonsFor(tool, wanted, { rules, args: checkArguments(tool, work.input), caller }))
    if (reasons.length === 0) return { do: 'run', input: work.input }
    if (command.mode === 'dry_run') return { do: 'run', input: work.input }
    const fingerprint = fingerprintOf({ tools: tools.map(({ name }) => name), args: work.input, policy: policyOf(tools, rules) })
    const approval = approvalOf(command.answered, { input: work.input, fingerprint })
    if (approval === undefined) return { do: 'ask', ask: askOf(wanted, reasons, { rules, fingerprint }) }
    allow(approval.input) // M2
    return { do: 'run', input: approval.input, approval }
  }
