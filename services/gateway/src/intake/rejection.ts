import type { BusRecord, OutgoingRecord } from '@baton/bus/bus'
import { DEFAULT_TENANT, encodeEvent, engineEventId, isJsonObject, rejectionIdOf, TOPICS, type FaultData } from '@baton/contracts'

/** What can still be read of a request that was not understood. */
type Remains = { readonly requestId: string; readonly tenant: string; readonly source: string; readonly flow: string }

const text = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value.slice(0, 256) : otherwise)

const parsed = (value: Buffer): unknown => {
  try {
    return JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
}

/** The same order as for requests that are understood (`decodeRequest`). */
const remainsOf = ({ topic, partition, offset, headers, value }: BusRecord): Remains => {
  const body = parsed(value)
  const fields = isJsonObject(body) ? (isJsonObject(body['data']) ? { ...body, ...body['data'] } : body) : {}
  const header = (name: string): string | undefined => headers[name]
  return {
    requestId: text(fields['id'] ?? header('ce_id'), `${topic}/${partition}/${offset}`),
    tenant: text(header('ce_tenant') ?? fields['tenant'], DEFAULT_TENANT),
    source: text(header('ce_source') ?? fields['source'], 'kafka'),
    flow: text(fields['flow'], ''),
  }
}

/** The one answer to a request that starts no run: `run.rejected` on the result topic, with the reason. Repeats have the same id. */
export const rejectionRecord = (record: BusRecord, fault: FaultData): OutgoingRecord => {
  const { requestId, tenant, source, flow } = remainsOf(record)
  const runId = rejectionIdOf({ tenant, source, requestId, body: record.value.toString('latin1') })
  const wire = encodeEvent({
    id: engineEventId(runId, 0),
    source: '/baton/gateway',
    subject: runId,
    tenant,
    time: new Date(record.timestampMs).toISOString(),
    correlationId: requestId,
    name: 'run.rejected',
    data: {
      requestId,
      runId,
      flow,
      version: '',
      status: 'rejected',
      fault,
      metrics: { latencyMs: 0, costUsd: 0, steps: 0, escalated: false },
    },
  })
  return { topic: TOPICS.results, ...wire }
}
