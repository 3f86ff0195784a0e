// Answers of steps that look something up, given again without asking (B10): tools that only read, retrieval and checks. Models keep
// theirs themselves, because there the same question means more.
//   H1. The same means: the same step of the same plan with the same input, or the key that the step names, for the same tenant and,
//       within the scope of the step, the same run, session or user.
//   H2. Only what changes nothing is answered so; nothing that an agent calls, a guard looks at, a person answered, or a gate sent back.
//   H3. Without the database there is no answer here, and the work is done.
import { canonicalJson, isJsonObject, sha256, type Json, type Meter, type StepCommand } from '@baton/contracts'
import type { CacheScope, PlanNode } from '@baton/flow/plan'
import type { ModelCacheStore } from '@baton/store'
import type { WorkResult } from './worker.ts'

type Answered = WorkResult & { readonly status: 'answered' }
type Asked = { readonly command: StepCommand; readonly node: PlanNode; readonly input: Json }

const KINDS: ReadonlySet<string> = new Set(['tool', 'retrieve', 'check'] satisfies readonly PlanNode['kind'][])
const CHARS_MAX = 256 * 1_024

const isAside = ({ call, guard, answered, mode, override }: StepCommand): boolean =>
  call !== undefined || guard !== undefined || answered !== undefined || override !== undefined || mode === 'dry_run'

/** Who shares an answer within a tenant. */
export const cacheScopeOf = (scope: CacheScope, { runId, session, user }: StepCommand): string => {
  if (scope === 'tenant') return ''
  if (scope === 'session') return session ?? runId
  return scope === 'user' ? (user?.id ?? runId) : runId
}

/** The key of what is asked; undefined where it is not to be answered from here. H1, H2. */
export const stepCacheKey = ({ command, node, input }: Asked): string | undefined => {
  const { cache, kind, effect } = node
  if (cache === undefined || !KINDS.has(kind) || effect !== 'read' || isAside(command)) return undefined
  const { planHash, nodeId, cacheKey } = command
  return sha256(canonicalJson(['step', planHash, nodeId, cache.scope, cacheScopeOf(cache.scope, command), cacheKey ?? { input }]))
}

const meterNow = (nowMs: number): Meter => ({
  startedAtMs: nowMs,
  latencyMs: 0,
  tries: 1,
  inputChars: 0,
  outputChars: 0,
  costMicroUsd: 0,
  cached: true,
})

/** Does the work, or gives what it gave before. */
export const throughCache = async (
  asked: Asked,
  { store, nowMs, work }: { readonly store: ModelCacheStore; readonly nowMs: () => number; readonly work: () => Promise<WorkResult> },
): Promise<WorkResult> => {
  const key = stepCacheKey(asked)
  const { cache } = asked.node
  if (key === undefined || cache === undefined) return work()
  const of = { tenant: asked.command.tenant, key }
  const found = await store.find(of).catch(() => undefined) // H3
  const kept = isJsonObject(found?.body) ? found.body : {}
  if (kept['output'] !== undefined && typeof kept['by'] === 'string') {
    const taint = Array.isArray(kept['taint']) ? kept['taint'].filter((mark) => typeof mark === 'string') : []
    return { status: 'answered', output: kept['output'], by: kept['by'], meter: meterNow(nowMs()), taint }
  }
  const result = await work()
  if (result.status === 'answered') await save(store, of, result, cache.ttlMs)
  return result
}

const save = async (
  store: ModelCacheStore,
  of: { tenant: string; key: string },
  { output, by, taint = [] }: Answered,
  ttlMs: number,
): Promise<void> => {
  const body: Json = { output, by, taint: [...taint] }
  if (JSON.stringify(body).length <= CHARS_MAX) await store.save({ ...of, body, ttlMs }).catch(() => undefined) // H3
}
