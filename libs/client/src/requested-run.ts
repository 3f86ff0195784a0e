// A request that survives what happens between a product and Baton.
//   R1. A request has one id for ever; whatever is tried again is tried under it, so that there is one run.
//   R2. A server that is away is waited for; every other fault is told at once.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRetryable, toFault, type Json, type RunRequest, type RunResult } from '@baton/contracts'
import { resultOf, type FlowResult, type TypedFlow } from './flow-types.ts'
import { followRun, type EventOptions } from './run-events.ts'
import type { RunOutcome, StartedRun } from './client.ts'
import type { openTransport, ServerEvent } from './transport.ts'

export type RequestOptions = Pick<RunRequest, 'id' | 'tenant' | 'source' | 'session' | 'user' | 'priority' | 'deadlineMs' | 'labels'> & {
  /** `1.2.0` or an alias; absent: the default of the flow. */
  readonly version?: string
  /** How long a server that is away is waited for. Default 60,000. */
  readonly patienceMs?: number
}

/** A run that was asked for. */
export type RequestedRun<Output> = {
  readonly requestId: string
  readonly runId: string
  /** Undefined when the run has not ended within the time. */
  readonly result: (options: { readonly timeoutMs: number }) => Promise<FlowResult<Output> | undefined>
}

/** A run that was asked for over HTTP. */
export type FollowedRun<Output> = RequestedRun<Output> & {
  /** Every transition as it happens, over lost connections. */
  readonly events: (options?: EventOptions) => AsyncGenerator<ServerEvent>
}

const PATIENCE_MS = 60_000
const WAIT_MS_MAX = 60_000
const PAUSE_MS = { first: 100, longest: 5_000 } as const

/** What is published or posted. */
export const requestBody = (
  flow: string,
  input: Json,
  { version, patienceMs: _patienceMs, ...fields }: RequestOptions,
): RunRequest & { id: string } => ({
  ...fields,
  id: fields.id ?? randomUUID(), // R1
  flow: version === undefined ? flow : `${flow}@${version}`,
  input,
})

const patiently = async <T>(work: () => Promise<T>, untilMs: number): Promise<T> => {
  for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest)) {
    try {
      return await work()
    } catch (error) {
      if (!isRetryable(toFault(error).code) || performance.now() + pauseMs > untilMs) throw error // R2
      await sleep(pauseMs)
    }
  }
}

type Runs = {
  readonly start: (body: RunRequest) => Promise<StartedRun>
  readonly run: (body: RunRequest, options: { waitMs: number }) => Promise<RunOutcome>
}

/** Asks for runs over HTTP. */
export const requester =
  (runs: Runs, transport: Pick<ReturnType<typeof openTransport>, 'events'>) =>
  async <Input extends Json, Output>(
    flow: TypedFlow<Input, Output>,
    input: Input,
    options: RequestOptions = {},
  ): Promise<FollowedRun<Output>> => {
    const body = requestBody(flow.name, input, options)
    const { patienceMs = PATIENCE_MS } = options
    const { runId, requestId } = await patiently(() => runs.start(body), performance.now() + patienceMs)
    let known: RunResult | undefined
    return {
      runId,
      requestId,
      events: (how) => followRun(transport, runId, how),
      result: async ({ timeoutMs }) => {
        const untilMs = performance.now() + timeoutMs
        while (known === undefined && performance.now() < untilMs) {
          const waitMs = Math.max(1, Math.min(WAIT_MS_MAX, Math.ceil(untilMs - performance.now())))
          // The same request again: it answers with the result of the run that it began (R1).
          const outcome = await patiently(() => runs.run(body, { waitMs }), Math.min(untilMs, performance.now() + patienceMs))
          if (outcome.ended) known = outcome.result
        }
        return known === undefined ? undefined : resultOf<Output>(known)
      },
    }
  }
