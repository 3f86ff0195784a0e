// Publishing a flow: compiled, stored as a plan under its hash, then told to everybody through the configuration topic.
import { DEFAULT_TENANT, Fault, TOPICS, toFault, type JsonObject } from '@baton/contracts'
import { compileFlow, formatDiagnostic, type Diagnostic, type FlowDefaults, type Plan } from '@baton/flow'
import type { Platform } from '@baton/service'
import { requireFittingParams } from '../params/param-settings.ts'
import { DEFAULT_ALIAS, parseFlowName } from './flow-catalog.ts'
import { startedFlows } from './flow-pins.ts'
import { claimTriggers, refuseTakenPaths } from '../triggers/taken-paths.ts'
import { flowFolders, readFlowFolder, type FlowFiles } from './flow-files.adapter.ts'

export type PublishRequest = FlowFiles & {
  readonly tenant?: string
  /** Default `stable`. */
  readonly alias?: string
  /** Whether a version that was published with other content may be replaced. */
  readonly replace?: boolean
  readonly by: string
  /** Name that the file must have; a path that names another flow would surprise later. With it the version before is compared too, unless one is replaced. */
  readonly expected?: string
  /** Whether the flow may be one without a name of its own: such flows share the name of their file. Default false. */
  readonly nameless?: boolean
  readonly defaults?: FlowDefaults
  /** Hash that the plan must have: what was packed and checked is what is published. */
  readonly plan?: string
  /** Leaves an alias alone that somebody else has moved, unless the version is new. */
  readonly yields?: boolean
}

export type Published = {
  readonly flow: string
  readonly version: string
  readonly hash: string
  readonly alias: string
  readonly changed: boolean
  /** What may keep runs from beginning, in words: flows that its steps start and that are not published. */
  readonly warnings?: readonly string[]
}

const DIAGNOSTICS_MAX = 50
/** Where flows stand that say no name. */
const NAMELESS = 'local/'

const invalid = (entry: string, diagnostics: readonly Diagnostic[]): Fault => {
  const lines = diagnostics.slice(0, DIAGNOSTICS_MAX).map(formatDiagnostic)
  return new Fault(
    'flow.invalid',
    `${entry} has ${diagnostics.length === 1 ? 'a mistake' : `${diagnostics.length} mistakes`}:\n${lines.join('\n')}`,
    { mistakes: diagnostics.length },
  )
}

/** Compiles; throws `flow.invalid` with every diagnostic */
const compile = ({ files, entry, defaults, nameless = false }: PublishRequest, follows: Plan | undefined): Plan => {
  const result = compileFlow({
    files,
    entry,
    ...(defaults === undefined ? {} : { defaults }),
    ...(follows === undefined ? {} : { follows }),
  })
  if (!result.ok) throw invalid(entry, result.diagnostics)
  if (!nameless && result.plan.flow.startsWith(NAMELESS))
    throw new Fault('flow.invalid', `${entry} has no name to publish it under; add a line like "flow: support/summary@1.0.0"`, {
      field: 'flow',
    })
  return result.plan
}

/** What the alias points to now: callers rely on its input and output. */
const planBefore = async (stores: Platform['stores'], request: PublishRequest): Promise<Plan | undefined> => {
  const { tenant = DEFAULT_TENANT, alias = DEFAULT_ALIAS, expected, replace = false } = request
  if (expected === undefined || replace) return undefined
  const found = await stores.flows.resolve({ tenant, flow: expected, at: alias })
  const body = found === undefined ? undefined : await stores.flows.plan(found.hash)
  return body === undefined ? undefined : JSON.parse(body)
}

/** Flows that a plan starts and nobody has published yet. They may come later, so that is a warning. */
const missingFlows = async (
  stores: Pick<Platform['stores'], 'flows'>,
  tenant: string,
  plan: Pick<Plan, 'flow' | 'nodes'>,
): Promise<readonly string[]> => {
  const missing: string[] = []
  for (const name of startedFlows(plan)) {
    const { flow, at } = parseFlowName(name)
    const found = (await stores.flows.resolve({ tenant, flow, at })) ?? (await stores.flows.resolve({ tenant: DEFAULT_TENANT, flow, at }))
    if (found === undefined) missing.push(`${plan.flow} starts ${flow}@${at}, which is not published: runs are refused until it is`)
  }
  return missing
}

/** Key of a flow on the configuration topic. */
export const flowKey = (tenant: string, flow: string): string => `flow/${tenant}/${flow}`

/** Tells every process that something of a flow has changed; catalogues look again. */
export const announce = async (bus: Platform['bus'], key: string, value: JsonObject): Promise<void> => {
  await bus.publish([
    { topic: TOPICS.config, key, value: Buffer.from(JSON.stringify(value)), headers: { 'content-type': 'application/json' } },
  ])
}

/** Publishes one flow. Throws `flow.invalid`, or `request.conflicting` for a version that exists with other content. */
export const publishFlow = async ({ bus, stores }: Pick<Platform, 'bus' | 'stores'>, request: PublishRequest): Promise<Published> => {
  const { tenant = DEFAULT_TENANT, alias = DEFAULT_ALIAS, replace = false, by } = request
  const plan = compile(request, await planBefore(stores, request))
  const { flow, version, hash } = plan
  if (request.expected !== undefined && request.expected !== flow)
    throw new Fault('request.conflicting', `the path names ${request.expected}, the file ${flow}`, { field: 'flow' })
  if (request.plan !== undefined && request.plan !== `sha256:${hash}`)
    throw new Fault('request.conflicting', `the files make plan sha256:${hash}, not ${request.plan}`, { field: 'plan' })
  if (request.yields !== true) await requireFittingParams(stores, plan, tenant)
  await refuseTakenPaths(stores, { tenant, alias, plan })
  const { changed } = await stores.flows.publish({
    tenant,
    flow,
    version,
    hash,
    body: JSON.stringify(plan),
    alias,
    replace,
    by,
    yields: request.yields === true,
  })
  await claimTriggers(stores, { tenant, alias, plan })
  const published = { flow, version, hash, alias, changed }
  if (changed) await announce(bus, flowKey(tenant, flow), { tenant, ...published })
  const warnings = await missingFlows(stores, tenant, plan)
  return warnings.length === 0 ? published : { ...published, warnings }
}

/**
 * Publishes every flow of the flows folder. A flow with mistakes, or with words that run later, is logged and left out: it must not
 * keep the others from running.
 * In one process a changed file replaces its version, because there the files are the truth.
 */
export const publishFlows = async (platform: Platform, { defaults }: { defaults?: FlowDefaults } = {}): Promise<readonly Published[]> => {
  const { config, telemetry } = platform
  const published: Published[] = []
  for (const folder of await flowFolders(config.flowsDir)) {
    try {
      const found = await readFlowFolder(folder)
      if (found === undefined) continue
      const flow = await publishFlow(platform, {
        ...found,
        replace: config.embedded,
        by: 'start',
        yields: true,
        ...(defaults === undefined ? {} : { defaults }),
      })
      published.push(flow)
      telemetry.logger.info({ flow: flow.flow, version: flow.version, changed: flow.changed }, 'flow published')
    } catch (error) {
      const fault = toFault(error)
      // A flow without a name is no mistake of its author.
      if (fault.detail['field'] === 'flow') telemetry.logger.info({ folder, reason: fault.message }, 'flow checked, not published')
      else telemetry.logger.error({ folder, code: fault.code, reason: fault.message }, 'flow not published')
    }
  }
  await warnOfMissing(platform, published)
  return published
}

/** Looked at when all are published: a flow may come before one that it starts. */
const warnOfMissing = async ({ stores, telemetry }: Platform, published: readonly Published[]): Promise<void> => {
  for (const { hash } of published.filter(({ warnings }) => warnings !== undefined)) {
    const body = await stores.flows.plan(hash)
    for (const reason of body === undefined ? [] : await missingFlows(stores, DEFAULT_TENANT, JSON.parse(body)))
      telemetry.logger.warn({ reason }, 'a flow starts one that is not published')
  }
}
