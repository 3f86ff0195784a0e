// The typed HTTP client of Baton, for programs and for the command line.
import type { Json, Priority, RunRequest, RunResult, Verdict } from '@baton/contracts'
import { requester } from './requested-run.ts'
import { followRun, type EventOptions } from './run-events.ts'
import { openTransport, type ClientOptions, type ServerEvent } from './transport.ts'

export type StartedRun = { readonly runId: string; readonly requestId: string; readonly repeat: boolean }
export type RunOutcome = { readonly ended: true; readonly result: RunResult } | { readonly ended: false; readonly run: StartedRun }
export type Page = { readonly limit?: number; readonly cursor?: string }
export type RunFilter = Page & {
  readonly flow?: string
  readonly status?: string
  readonly label?: string
  /** This run and all that came of it. */
  readonly root?: string
  /** Runs that steps of this one started. */
  readonly parent?: string
}
export type Decision = {
  readonly verdict: Verdict
  readonly by: string
  readonly output?: Json
  readonly reason?: string
  readonly fingerprint?: string
}
/** Which dead letters, by what they have in common. `since` is a time, or how long ago, like `2h`. */
export type LetterFilter = {
  readonly service?: string
  readonly fingerprint?: string
  readonly code?: string
  readonly tenant?: string
  readonly since?: string
}
/** Named letters (`tools-17`, or offsets of a service), those of a query, or all. */
type LetterChoice = LetterFilter & {
  readonly ids?: readonly string[]
  readonly offsets?: readonly number[]
  /** A CEL condition. */
  readonly where?: string
  readonly all?: boolean
  readonly limit?: number
  readonly dryRun?: boolean
  readonly ratePerSecond?: number
  readonly by?: string
}
export type Redrive = LetterChoice & {
  readonly reason?: string
  /** What to send instead: headers, and a merge patch or a whole body. */
  readonly edit?: {
    readonly headers?: Readonly<Record<string, string | null>>
    readonly body?: Json
    readonly text?: string
    readonly base64?: string
    readonly patch?: { readonly [name: string]: Json }
  }
}
export type Discard = LetterChoice & { readonly reason: string }
const query = (fields: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  const given = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]))
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

const id = encodeURIComponent
type Transport = ReturnType<typeof openTransport>

const startAt = (
  { request }: Transport,
  { body, path, waitMs }: { body: RunRequest; path: string; waitMs: number },
): Promise<{ status: number; text: string }> =>
  request({ method: 'POST', path, body, timeoutMs: waitMs, ...(body.id === undefined ? {} : { headers: { 'idempotency-key': body.id } }) })

const runsOf = (transport: Transport) => {
  const { call, get } = transport
  return {
    /** Starts a run and returns at once. */
    start: async (body: RunRequest): Promise<StartedRun> =>
      JSON.parse((await startAt(transport, { body, path: '/v1/runs', waitMs: 0 })).text) as StartedRun,
    /** Starts a run and waits for its result; `ended` is false when the time was not enough. */
    run: async (body: RunRequest, { waitMs }: { waitMs: number }): Promise<RunOutcome> => {
      const { status, text } = await startAt(transport, { body, path: `/v1/runs${query({ wait: `${waitMs}ms` })}`, waitMs })
      return status === 200 ? { ended: true, result: JSON.parse(text) as RunResult } : { ended: false, run: JSON.parse(text) as StartedRun }
    },
    cancel: (runId: string, body: { by?: string; reason?: string } = {}): Promise<{ runId: string; status: string }> =>
      call({ method: 'POST', path: `/v1/runs/${id(runId)}:cancel`, body }),
    runs: <T = Json>(filter: RunFilter = {}): Promise<T> => get<T>(`/v1/runs${query(filter)}`),
    show: <T = Json>(runId: string): Promise<T> => get<T>(`/v1/runs/${id(runId)}`),
    /** The steps as a tree; `under` and `after` go on where a level says that there is more. */
    trace: <T = Json>(runId: string, page: { under?: string; after?: number; limit?: number } = {}): Promise<T> =>
      get<T>(`/v1/runs/${id(runId)}/trace${query(page)}`),
    payload: <T = Json>(runId: string, sha256: string): Promise<T> => get<T>(`/v1/runs/${id(runId)}/payloads/${id(sha256)}`),
    /** The journal of a run as it happens; ends with the run or the signal. */
    events: (runId: string, signal: AbortSignal = new AbortController().signal): AsyncGenerator<ServerEvent> =>
      transport.events(`/v1/runs/${id(runId)}/events`, signal),
    /** The same over lost connections, from the event behind which the caller stopped. */
    follow: (runId: string, options?: EventOptions): AsyncGenerator<ServerEvent> => followRun(transport, runId, options),
  }
}

const reviewsOf = ({ call, get }: Transport) => ({
  list: <T = Json>(filter: Page & { queue?: string; status?: string; priority?: Priority } = {}): Promise<T> =>
    get<T>(`/v1/reviews${query(filter)}`),
  show: <T = Json>(taskId: string): Promise<T> => get<T>(`/v1/reviews/${id(taskId)}`),
  claim: <T = Json>(taskId: string, body: { by: string }): Promise<T> =>
    call<T>({ method: 'POST', path: `/v1/reviews/${id(taskId)}:claim`, body }),
  release: <T = Json>(taskId: string, body: { by: string }): Promise<T> =>
    call<T>({ method: 'POST', path: `/v1/reviews/${id(taskId)}:release`, body }),
  decide: <T = Json>(taskId: string, body: Decision): Promise<T> =>
    call<T>({ method: 'POST', path: `/v1/reviews/${id(taskId)}:decide`, body }),
})

const flowsOf = ({ call, get }: Transport) => ({
  list: <T = Json>(): Promise<T> => get<T>('/v1/flows'),
  show: <T = Json>(name: string, at?: string): Promise<T> => get<T>(`/v1/flows/${name}${query({ at })}`),
  publish: <T = Json>(
    name: string,
    body: { files: Readonly<Record<string, string>>; entry?: string; alias?: string; replace?: boolean; by?: string },
  ): Promise<T> => call<T>({ method: 'PUT', path: `/v1/flows/${name}`, body }),
})

const deadLettersOf = ({ call, get }: Transport) => ({
  list: <T = Json>(filter: Page & LetterFilter & { state?: 'open' | 'redriven' | 'discarded' | 'all' } = {}): Promise<T> =>
    get<T>(`/v1/dead-letters${query(filter)}`),
  /** By fingerprint: how many, since when, in which services. */
  groups: <T = Json>(filter: Page & LetterFilter = {}): Promise<T> => get<T>(`/v1/dead-letters/groups${query(filter)}`),
  show: <T = Json>(service: string, offset: number): Promise<T> => get<T>(`/v1/dead-letters/${id(service)}/${offset}`),
  redrive: <T = Json>(body: Redrive): Promise<T> => call<T>({ method: 'POST', path: '/v1/dead-letters:redrive', body }),
  discard: <T = Json>(body: Discard): Promise<T> => call<T>({ method: 'POST', path: '/v1/dead-letters:discard', body }),
})

/** A client for one server. Every failure is a Fault. Answers of reads are JSON as the server gives it; `T` is what the caller knows of it. */
export const createClient = (options: ClientOptions = {}) => {
  const transport = openTransport(options)
  const runs = runsOf(transport)
  return {
    /** Asks for a run and gives it a handle: its result, its events. Survives a server that is away; repeats make no second run. */
    request: requester(runs, transport),
    /** The answer of any path. */
    call: transport.call,
    ...runs,
    stats: <T = Json>(filter: { flow?: string } = {}): Promise<T> => transport.get<T>(`/v1/stats${query(filter)}`),
    reviews: reviewsOf(transport),
    flows: flowsOf(transport),
    deadLetters: deadLettersOf(transport),
  }
}

export type Client = ReturnType<typeof createClient>
