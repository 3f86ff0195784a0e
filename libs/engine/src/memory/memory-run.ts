// One run in one process.
import type { MessageOf, RunResult } from '@baton/contracts'
import type { Program } from '@baton/flow/program'
import { MemoryRuns, type MemoryPorts } from './memory-runs.ts'

export { ENGINE_VERSION } from '../codec.ts'
export type { JournalMessage, LogMessage } from '../decision.ts'
export type { RunState } from '../state.ts'
export type { Done } from './answer.ts'
export { lookedAt, type Look } from './guards.ts'
export { createFakeClock, type FakeClock } from './fake-clock.ts'
export { MemoryRuns, type MemoryPorts } from './memory-runs.ts'

/** Runs a flow to its end. The signal cancels the run; what it comes to is always a result. */
export const runInMemory = async (
  request: MessageOf<'run.requested'>,
  { program, ports, signal }: { program: Program; ports: MemoryPorts; signal?: AbortSignal },
): Promise<RunResult> => {
  const runs = new MemoryRuns({ program, ports })
  const cancel = (): void =>
    runs.send({ name: 'run.cancel', data: { runId: request.runId, by: 'caller', reason: 'aborted by the caller' } })
  const result = runs.start(request)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return await result
  } finally {
    signal?.removeEventListener('abort', cancel)
    runs.close()
  }
}
