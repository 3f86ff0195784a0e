// One answer on its way: at once, after its time, or as a stream; and what goes wrong with it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'
import type { RigFault } from './faults.policy.ts'
import type { Timed } from './recording.ts'
import type { Wire, WireRequest } from './wire.ts'

/** Share of the recorded time that passes before the first piece of a stream. */
const FIRST_SHARE = 0.3
/** What was written before a cut is on its way by then. */
const FLUSH_MS = 5
const JSON_TYPE = 'application/json'

export type Answering = {
  readonly response: ServerResponse
  readonly wire: Wire
  readonly request: WireRequest
  readonly recording: Timed
  readonly fault: RigFault | undefined
  /** Milliseconds of the recorded time take one of ours. Infinity: no time at all. */
  readonly speed: number
  readonly signal: AbortSignal
}

const wait = async (delayMs: number, signal: AbortSignal): Promise<void> => {
  if (delayMs > 0) await sleep(delayMs, undefined, { signal })
}

/** Writes an error of the provider. */
export const answerError = (response: ServerResponse, wire: Wire, fault: Extract<RigFault, { kind: 'status' }>): void => {
  const { status, retryAfterMs, message = `the rig answers ${status}`, code } = fault
  const body = wire.error(status, message, code)
  response.writeHead(status, {
    'content-type': JSON_TYPE,
    'content-length': Buffer.byteLength(body),
    ...(retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)), 'retry-after-ms': String(retryAfterMs) }),
  })
  response.end(body)
}

const answerWhole = async ({ response, wire, request, recording, fault, signal }: Answering, latencyMs: number): Promise<string> => {
  await wait(latencyMs + (fault?.kind === 'stall' ? fault.stallMs : 0), signal)
  const body = fault?.kind === 'malformed' ? '<html>502' : wire.body(recording, request.model)
  response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body) })
  if (fault?.kind !== 'cut') {
    response.end(body)
    return fault?.kind === 'malformed' ? 'malformed' : 'answered'
  }
  response.write(body.slice(0, Math.ceil(body.length / 2)))
  await wait(FLUSH_MS, signal)
  response.destroy()
  return 'cut'
}

const answerStream = async (answering: Answering, latencyMs: number): Promise<string> => {
  const { response, wire, request, recording, fault, signal } = answering
  const { open, pieces, close } = wire.events(recording, request)
  await wait(latencyMs * FIRST_SHARE, signal)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(open)
  if (fault?.kind === 'malformed') {
    response.end('data: {"choices": [{]\n\n')
    return 'malformed'
  }
  const paceMs = (latencyMs * (1 - FIRST_SHARE)) / Math.max(1, pieces.length)
  for (const [at, piece] of pieces.entries()) {
    if (fault?.kind === 'cut' && at >= pieces.length / 2) break
    response.write(piece)
    await wait(paceMs + (at === 0 && fault?.kind === 'stall' ? fault.stallMs : 0), signal)
  }
  if (fault?.kind === 'cut') {
    await wait(FLUSH_MS, signal)
    response.destroy()
    return 'cut'
  }
  response.end(close)
  return 'answered'
}

/** Answers; says what became of it. Rejects when the caller left. */
export const answer = async (answering: Answering): Promise<string> => {
  const { response, wire, request, recording, fault, speed, signal } = answering
  const latencyMs = (recording.latencyMs / speed) * (fault?.kind === 'slow' ? fault.factor : 1)
  switch (fault?.kind) {
    case 'status':
      answerError(response, wire, fault)
      return String(fault.status)
    case 'reset':
      response.destroy()
      return 'reset'
    case 'hang':
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('the caller left')), { once: true }))
      return 'hang'
    default:
      return request.stream ? answerStream(answering, latencyMs) : answerWhole(answering, latencyMs)
  }
}
