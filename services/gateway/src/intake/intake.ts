// From a request to the first record of a run, the same for topic and HTTP.
//   G2. A request is answered by exactly one of: `run.requested` on the log, a rejection with its reason, or a retry.
//   G3. (L6) The start is remembered before it is published; a repeat is published as one, so that its owner looks it up first.
//   G4. (L2) Everything that could change later is pinned in the record: plan hash, params, engine version, and the flows that steps start.
import {
  canonicalJson,
  encodeEvent,
  engineEventId,
  Fault,
  runIdOf,
  sha256,
  TOPICS,
  type Json,
  type MessageOf,
  type RunRequest,
} from '@baton/contracts'
import { keepsHistory, smallFields, storeJson, turnTextOf, type Platform } from '@baton/service'
import type { FlowCatalog, ReadyFlow } from '../flows/flow-catalog.ts'
import { createEngineVersion } from './engine-version.ts'
import { pinFlows, type FlowPins } from '../flows/flow-pins.ts'

/** A request with its identity, wherever it came from. */
export type IncomingRequest = {
  readonly request: RunRequest
  readonly requestId: string
  readonly tenant: string
  readonly source: string
  readonly requestedAtMs: number
  readonly traceparent?: string | undefined
  /** What asked for it, where that was no request: `schedule`, `topic tickets`. */
  readonly trigger?: string | undefined
  /** What a repeat must have in common with the first; its body where absent. */
  readonly identity?: Json
}

export type Accepted = { readonly runId: string; readonly repeat: boolean }
export type Intake = { accept(incoming: IncomingRequest): Promise<Accepted> }

/** Share of the log's disk from which on no new run is taken in. */
const INTAKE_DISK_SHARE_MAX = 0.8

type Requested = MessageOf<'run.requested'>

type Pinned = { readonly flow: ReadyFlow; readonly flows: FlowPins | undefined; readonly engineVersion: number }

const requestedOf = (
  incoming: IncomingRequest,
  { flow: { plan, params }, flows, engineVersion }: Pinned,
  { runId, repeat }: Accepted,
): Requested => {
  const { request, requestId, tenant, source, requestedAtMs, trigger } = incoming
  const { session, user, deadlineMs, mode } = request
  return {
    runId,
    requestId,
    tenant,
    source,
    flow: plan.flow,
    version: plan.version,
    planHash: plan.hash, // G4
    engineVersion,
    params,
    input: request.input,
    priority: request.priority ?? 'normal',
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    labels: request.labels ?? {},
    ...(session === undefined ? {} : { session }),
    ...(mode === undefined ? {} : { mode }),
    ...(user === undefined ? {} : { user }),
    requestedAtMs,
    ...(flows === undefined ? {} : { flows }), // G4
    ...(trigger === undefined ? {} : { trigger }),
    repeat,
  }
}

/** What was said, where the flow uses the conversation of its session: before the run is published, so that its answer finds it. */
const keepTurn = async (
  { sessions }: Pick<Platform['stores'], 'sessions'>,
  { request, tenant, requestedAtMs }: IncomingRequest,
  { runId, flow }: { runId: string; flow: ReadyFlow },
): Promise<void> => {
  const { session, user } = request
  const text = turnTextOf(request.input)
  if (session === undefined || text === '' || !keepsHistory(flow.plan)) return
  await sessions.said({ tenant, session, runId, ...(user?.id === undefined ? {} : { userId: user.id }), text, atMs: requestedAtMs })
}

/** Takes requests in. Throws a Fault whose code says whether the caller is to blame or a later try can help (G2). */
export const createIntake = ({
  platform,
  catalog,
}: {
  platform: Pick<Platform, 'bus' | 'stores' | 'config' | 'nowMs'>
  catalog: FlowCatalog
}): Intake => {
  const { bus, stores, config } = platform
  const engine = createEngineVersion(platform)

  const encode = (data: Requested, traceparent: string | undefined) =>
    encodeEvent({
      id: engineEventId(data.runId, 0),
      source: '/baton/gateway',
      subject: data.runId,
      tenant: data.tenant,
      correlationId: data.requestId,
      ...(traceparent === undefined ? {} : { traceparent }),
      name: 'run.requested',
      data,
    })

  const recordOf = async (data: Requested, traceparent: string | undefined) => {
    const record = encode(data, traceparent)
    if (record.value.length <= config.inlineBytesMax) return record
    const inputRef = await storeJson(stores.payloads, data.tenant, data.input)
    return encode({ ...data, input: smallFields(data.input), inputRef }, traceparent)
  }

  /** The log of one process has a limited disk; runs that are under way need the rest of it. */
  const refuseWhenFull = (): void => {
    const usage = bus.usage?.()
    if (usage === undefined || usage.usedBytes < usage.diskBytesMax * INTAKE_DISK_SHARE_MAX) return
    throw new Fault('disk.full', `the log has ${usage.usedBytes} of ${usage.diskBytesMax} bytes; no new runs until space is free`)
  }

  const accept = async (incoming: IncomingRequest): Promise<Accepted> => {
    refuseWhenFull()
    const { request, requestId, tenant, source } = incoming
    const flow = await catalog.find(tenant, request.flow)
    flow.checkInput(request.input)
    const flows = await pinFlows(catalog, { tenant, flow })
    const engineVersion = await engine.forPlan(flow.plan)
    const runId = runIdOf({ tenant, source, requestId })
    const { id: _id, ...body } = request
    const bodyHash = sha256(canonicalJson(incoming.identity ?? body))
    const [outcome] = await stores.starts.begin([{ tenant, source, requestId, runId, bodyHash }]) // G3
    if (outcome === 'conflict')
      throw new Fault('request.conflicting', `request ${requestId} was made before with another body`, { field: 'id' })
    const accepted: Accepted = { runId, repeat: outcome === 'repeat' }
    await keepTurn(stores, incoming, { runId, flow })
    await bus.publish([
      { topic: TOPICS.events, ...(await recordOf(requestedOf(incoming, { flow, flows, engineVersion }, accepted), incoming.traceparent)) },
    ])
    return accepted
  }
  return { accept }
}
