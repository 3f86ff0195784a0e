// The output of a step and the people that rules of configuration bring in: before it travels on, or afterwards.
//   V4. What a person has answered already is not asked again.
//   V5. An output too large for a person to look at does not pass by the rule that wanted a look.
//   V6. Which runs are the first of a version is kept in the database, a row a run: a redelivery finds its own.
import { join } from 'node:path'
import { commandTopic, encodeEvent, isJsonObject, workerEventId, type Json, type StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import { activate, countedRules, type ActivationFacts, type ActivationRule } from '@baton/policy/activation'
import { migrate, type Database } from '@baton/store'
import { readActivationFile } from './activation-config.ts'
import { askAbout, askedWork, type AskedAbout, type AskedBy, isTooLargeToShow } from './person-asked.ts'
import type { Platform } from './platform.ts'
import { present } from './review-need.ts'
import type { WorkResult } from './worker.ts'

type Answered = WorkResult & { readonly status: 'answered' }
export type OutputReview = (work: { command: StepCommand; node: PlanNode; input: Json; result: Answered }) => Promise<WorkResult>

const MIGRATIONS = [
  {
    name: '001-activation-first',
    statements: [
      `create table activation_first (
        tenant text not null,
        rule text not null,
        flow text not null,
        version text not null,
        run_id text not null,
        path text not null,
        primary key (tenant, rule, flow, version, run_id, path)
      )`,
    ],
  },
] as const

const confidenceOf = ({ output, meter }: Answered): number | undefined => {
  const said = meter.confidence ?? (isJsonObject(output) ? output['confidence'] : undefined)
  return typeof said === 'number' && said >= 0 && said <= 1 ? said : undefined
}

const factsOf = ({ command, node, input, result }: Parameters<OutputReview>[0]): ActivationFacts => ({
  runId: command.runId,
  path: command.path,
  flow: command.flow,
  nodeId: command.nodeId,
  kind: command.kind,
  effect: node.effect,
  confidence: confidenceOf(result),
  taint: [...(command.taint ?? []), ...(result.taint ?? [])],
  input,
})

type Stop = { readonly rule: ActivationRule; readonly reasons: readonly string[]; readonly share?: number }
const aboutOf = ({ command, node, input, result }: Parameters<OutputReview>[0]): AskedAbout => ({
  command,
  node,
  input,
  output: result.output,
  by: result.by,
  ...present({ confidence: confidenceOf(result) }),
})
const byOf = ({ rule: { need, name }, reasons, share }: Stop): AskedBy => ({ need, rule: name, reasons, ...present({ share }) })

/** Of which rules this run is one of the first of its version (V6). */
const countIn = async (
  db: Database,
  rules: readonly ActivationRule[],
  { tenant, flow, version, runId, path }: StepCommand,
): Promise<ReadonlySet<string>> => {
  const counted = new Set<string>()
  for (const { name, firstOfVersion = 0 } of rules) {
    const key = [tenant, name, flow, version, runId, path]
    await db.query(
      `insert into activation_first (tenant, rule, flow, version, run_id, path) select $1, $2, $3, $4, $5, $6
       where (select count(*) from activation_first where tenant = $1 and rule = $2 and flow = $3 and version = $4) < $7::bigint on conflict do nothing`,
      [...key, firstOfVersion],
    )
    const { rows } = await db.query(
      'select 1 from activation_first where tenant = $1 and rule = $2 and flow = $3 and version = $4 and run_id = $5 and path = $6',
      key,
    )
    if (rows.length > 0) counted.add(name)
  }
  return counted
}

/** What no rule looks at: what a person answered, parts of the work of an agent, guards, and what has no effect outside. */
const isAside = ({ answered, turn, call, guard, mode }: StepCommand): boolean =>
  answered !== undefined || turn !== undefined || call !== undefined || guard !== undefined || mode === 'dry_run' // V4

/** The rules of this process; undefined where there are none, so that nothing is evaluated. */
export const outputReview = (platform: Pick<Platform, 'config' | 'db' | 'bus' | 'nowMs'>, service: string): OutputReview | undefined => {
  const rules = readActivationFile(join(platform.config.configDir, 'policies.yaml'))
  if (rules.length === 0) return undefined
  let ready: Promise<unknown> | undefined
  const sample = async (work: Parameters<OutputReview>[0], rule: ActivationRule): Promise<void> => {
    const { runId, tenant, attemptId, flow, planHash, nodeId, path } = work.command
    const ask = askAbout(
      aboutOf(work),
      byOf({ rule, reasons: [`${rule.name}: a look at what went on without a person`], share: rule.sample ?? 1 }),
    )
    const data = { runId, tenant, attemptId, flow, planHash, nodeId, path, ask }
    const id = workerEventId({ attemptId, kind: `sample.${rule.name}`, n: 1 })
    const time = new Date(platform.nowMs()).toISOString()
    const event = encodeEvent({ name: 'review.sample', data, id, source: `/baton/${service}`, subject: runId, tenant, time })
    await platform.bus.publish([{ topic: commandTopic('hitl', 'bulk'), ...event }])
  }
  return async (work) => {
    const { command, result } = work
    if (isAside(command)) return result
    const facts = factsOf(work)
    const counting = countedRules(rules, facts)
    if (counting.length > 0) await (ready ??= migrate(platform.db, { scope: 'activation', migrations: MIGRATIONS }))
    const { stops, samples } = activate(rules, facts, counting.length === 0 ? new Set() : await countIn(platform.db, counting, command))
    if (stops !== undefined) return askedWork(aboutOf(work), byOf(stops), result) // V5
    if (samples.length > 0 && !isTooLargeToShow(result.output)) for (const rule of samples) await sample(work, rule)
    return result
  }
}
