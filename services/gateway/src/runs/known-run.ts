// What tracing knows of a run that somebody wants to change.
//   U1. Tracing learns of a change a moment later: a state for which the caller would be refused is looked at again first.
//   U2. The runs of a tree share the partition of its first run; a run without a tree is one of its own.
import { Fault, isJsonObject, type Json } from '@baton/contracts'
import { TENANT_HEADER, type ServiceCall, type ServiceReply } from '@baton/service'
import { patientCall } from '../forward/patient-call.ts'

/** Fields that tracing may not have yet are absent. */
export type KnownRun = {
  readonly runId: string
  readonly rootRunId: string
  /** The run whose step started it. */
  readonly parentRunId?: string
  readonly status?: string
  readonly flow?: string
  readonly version?: string
  readonly planHash?: string
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** A row of tracing; undefined for what is none. */
export const knownRunOf = (row: unknown, id?: string): KnownRun | undefined => {
  if (!isJsonObject(row)) return undefined
  const runId = id ?? text(row['runId'])
  if (runId === undefined) return undefined
  const [status, flow, version, planHash] = [text(row['status']), text(row['flow']), text(row['version']), text(row['planHash'])]
  const parentRunId = text(row['parentRunId'])
  return {
    runId,
    rootRunId: text(row['rootRunId']) ?? runId, // U2
    ...(parentRunId === undefined ? {} : { parentRunId }),
    ...(status === undefined ? {} : { status }),
    ...(flow === undefined ? {} : { flow }),
    ...(version === undefined ? {} : { version }),
    ...(planHash === undefined ? {} : { planHash }),
  }
}

const readRun = ({ status, body }: ServiceReply, runId: string): KnownRun | undefined =>
  status === 200 ? knownRunOf(JSON.parse(body), runId) : undefined

/** The run, waited for a moment until it is one that `isExpected` (U1). Throws `request.not_found`. */
export const findKnownRun = async (
  call: ServiceCall,
  { tenant, runId, isExpected = () => true }: { tenant: string; runId: string; isExpected?: (run: KnownRun) => boolean },
): Promise<KnownRun> => {
  const patient = patientCall(call, (reply) => {
    const run = readRun(reply, runId)
    return run === undefined ? reply.status !== 404 : isExpected(run)
  })
  const path = `/v1/runs/${encodeURIComponent(runId)}`
  const reply = await patient({ service: 'tracing', method: 'GET', path, headers: { [TENANT_HEADER]: tenant } })
  if (reply.status === 404) throw new Fault('request.not_found', `no run ${runId}`, { runId })
  const run = readRun(reply, runId)
  if (run === undefined) throw new Fault('bus.unavailable', `tracing answers ${reply.status}, so nobody knows where run ${runId} is`)
  return run
}
