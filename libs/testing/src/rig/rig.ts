// A provider that is none: real answers in their real time over two wire formats, and whatever may go wrong with them, by schedule.
//   R1. Nothing is made up: what was not recorded answers 404, unless `echo` is on.
//   R2. The same recordings and rules do the same to the same sequence of requests.
//   Over HTTP it is steered by `GET /rig/stats`, `POST /rig/reset` and `PUT /rig/faults` (a JSON list of rules), for proofs whose rig is
//   another process.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { anthropicWire } from './anthropic.wire.ts'
import { answer, answerError } from './answer.ts'
import { type FaultRule, type FaultSchedule, faultSchedule } from './faults.policy.ts'
import { openAiWire } from './openai.wire.ts'
import { indexRecordings, type Recording, type Recordings, type Timed } from './recording.ts'
import { keepStats, type RigStats } from './rig-stats.ts'
import type { Wire, WireRequest } from './wire.ts'

export type RigOptions = {
  readonly recordings: Iterable<Recording>
  readonly faults?: readonly FaultRule[]
  /** How many times faster than recorded; Infinity: no waiting. Default Infinity. */
  readonly speed?: number
  /** Answers with the question where nothing was recorded (R1). */
  readonly echo?: boolean
  readonly seed?: number
  /** 0: any free port. */
  readonly port?: number
}

export type Rig = {
  /** For OPENAI_BASE_URL. */
  readonly openAiUrl: string
  /** For ANTHROPIC_BASE_URL. */
  readonly anthropicUrl: string
  readonly url: string
  readonly setFaults: (rules: readonly FaultRule[]) => void
  readonly stats: () => RigStats
  readonly reset: () => void
  readonly close: () => Promise<void>
}

const WIRES: Readonly<Record<string, Wire>> = { '/v1/chat/completions': openAiWire, '/v1/messages': anthropicWire }
const UNKNOWN = { kind: 'status', status: 404, code: 'model_not_found' } as const
const BODY_BYTES_MAX = 16 * 1024 * 1024

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new Error('the request is too large')
    chunks.push(chunk)
  }
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null')
  return body
}

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

const echoOf = ({ model, last }: WireRequest): Timed => ({
  model,
  id: 'echo',
  text: last,
  calls: [],
  inputTokens: Math.ceil(last.length / 4),
  outputTokens: Math.ceil(last.length / 4),
  latencyMs: 0,
})

const headerOf = ({ headers }: IncomingMessage): string | undefined => {
  const { 'x-recording': header } = headers
  return Array.isArray(header) ? header[0] : header
}

class Replay {
  readonly #index: Recordings
  readonly #speed: number
  readonly #echo: boolean
  readonly #seed: number
  readonly stats = keepStats(() => performance.now())
  #setAtMs = performance.now()
  #schedule: FaultSchedule

  constructor({ recordings, faults = [], speed = Number.POSITIVE_INFINITY, echo = false, seed = 1 }: RigOptions) {
    this.#index = indexRecordings(recordings)
    this.#speed = speed
    this.#echo = echo
    this.#seed = seed
    this.#schedule = faultSchedule(faults, seed)
  }

  setFaults(rules: readonly FaultRule[]): void {
    this.#setAtMs = performance.now()
    this.#schedule = faultSchedule(rules, this.#seed)
  }

  async serve(wire: Wire, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = wire.read(await bodyOf(incoming), headerOf(incoming))
    this.stats.began(request.model)
    const fault = this.#schedule({ model: request.model, sinceMs: performance.now() - this.#setAtMs })
    const recording = this.#index.find(request) ?? (this.#echo ? echoOf(request) : undefined)
    if (recording === undefined && fault === undefined) {
      this.stats.ended('unknown')
      return answerError(response, wire, { ...UNKNOWN, message: `nothing recorded of ${request.model}` }) // R1
    }
    const abort = new AbortController()
    response.on('close', () => abort.abort())
    const answering = { response, wire, request, recording: recording ?? echoOf(request), fault, speed: this.#speed, signal: abort.signal }
    try {
      const outcome = await answer(answering)
      this.stats.ended(outcome, outcome === 'answered' ? recording : undefined)
    } catch {
      this.stats.ended('aborted')
      response.destroy()
    }
  }

  async steer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (`${incoming.method} ${incoming.url}`) {
      case 'GET /v1/models':
        return json(response, { object: 'list', data: this.#index.models.map((id) => ({ id, object: 'model', owned_by: 'rig' })) })
      case 'GET /rig/stats':
        return json(response, this.stats.read())
      case 'POST /rig/reset':
        this.stats.reset()
        return json(response, {})
      case 'PUT /rig/faults':
        this.setFaults((await bodyOf(incoming)) as readonly FaultRule[]) // Whoever steers the rig wrote them.
        return json(response, {})
      default:
        response.writeHead(404).end()
    }
  }
}

/** Starts it on 127.0.0.1. */
export const startRig = async (options: RigOptions): Promise<Rig> => {
  const replay = new Replay(options)
  const server = createServer((incoming, response) => {
    const wire = incoming.method === 'POST' ? WIRES[incoming.url ?? ''] : undefined
    const done = wire === undefined ? replay.steer(incoming, response) : replay.serve(wire, incoming, response)
    done.catch(() => response.writeHead(400).end())
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // It listens on a port, not on a pipe.
  const url = `http://127.0.0.1:${port}`
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    url,
    openAiUrl: `${url}/v1`,
    anthropicUrl: `${url}/v1`,
    setFaults: (rules) => replay.setFaults(rules),
    stats: () => replay.stats.read(),
    reset: () => replay.stats.reset(),
    close,
  }
}
