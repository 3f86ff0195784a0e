import { CONTRACTS, contractOfType, decodeEvent, Fault, isJsonObject, TOPICS, type RunResult } from '@baton/contracts'
import type { ServiceCall } from '@baton/service'
import type { TopicWatch } from './topic-watch.ts'

/** Longest a caller may hold a request open. */
const WAIT_MAX_MS = 300_000

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** `30s`, `500ms`, `2m` as milliseconds. */
export const waitMsOf = (wait: string | undefined): number | undefined => {
  if (wait === undefined) return undefined
  const [, amount, unit] = /^(\d{1,6})(ms|s|m)$/.exec(wait) ?? []
  const waitMs = Number(amount) * (UNIT_MS[unit ?? ''] ?? 0)
  if (!(waitMs > 0 && waitMs <= WAIT_MAX_MS))
    throw new Fault('request.malformed', `wait must be a duration like 30s, at most ${WAIT_MAX_MS / 1_000}s`, { field: 'wait' })
  return waitMs
}

/** The result in a record of the result topic; undefined for anything else. */
const resultOf = (record: { headers: Readonly<Record<string, string>>; value: Buffer }): RunResult | undefined => {
  const name = contractOfType(record.headers['ce_type'] ?? '')
  if (name === undefined || !CONTRACTS[name].topics.includes(TOPICS.results)) return undefined
  return decodeEvent(record).data as RunResult // every contract of the result topic carries a RunResult
}

/** The result of a run that ended before somebody began to wait, as tracing knows it. */
export const endedResult = async (call: ServiceCall, runId: string): Promise<RunResult | undefined> => {
  const reply = await call({ service: 'tracing', method: 'GET', path: `/v1/runs/${encodeURIComponent(runId)}` }).catch(() => undefined)
  if (reply?.status !== 200) return undefined
  const body: unknown = JSON.parse(reply.body)
  const result: unknown = isJsonObject(body) ? body['result'] : undefined
  const parsed = CONTRACTS['run.completed'].schema.safeParse(result)
  return parsed.success ? parsed.data : undefined
}

/**
 * Begins to watch for the result of a run, lets `start` publish the request, then waits unless the run ended before (G7).
 * Undefined when the time is over.
 */
export const withResult = async <T extends { readonly ended?: RunResult | undefined }>(
  results: TopicWatch,
  { runId, waitMs, start }: { runId: string; waitMs: number; start: () => Promise<T> },
): Promise<{ started: T; result: RunResult | undefined }> => {
  let arrived = (_result: RunResult | undefined): void => undefined
  const answer = new Promise<RunResult | undefined>((resolve) => {
    arrived = resolve
  })
  const leave = await results.watch(runId, (record) => {
    const result = resultOf(record)
    if (result !== undefined) arrived(result)
  })
  const timer = setTimeout(() => arrived(undefined), waitMs)
  try {
    const started = await start()
    return { started, result: started.ended ?? (await answer) }
  } finally {
    clearTimeout(timer)
    leave()
  }
}
