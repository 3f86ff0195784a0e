// How states are kept and looked at from outside the engine.
import { Fault } from '@baton/contracts/fault'
import type { MessageOf } from '@baton/contracts'
import type { RunState } from './state.ts'

/** Version of the decisions this engine makes. An installation pins it in every run (L2); a change of outputs needs a new one. */
export const ENGINE_VERSION = 4
/** Version of the form in which states are kept. */
export const FORMAT_VERSION = 1

/** A state as text. */
export const encodeState = (state: RunState): string => JSON.stringify(state)

/** The state of a stored text. Throws `engine.unsupported` for a form or an engine version this binary does not know. */
export const decodeState = (body: string): RunState => {
  // Written by `encodeState`; its version is checked before anything else of it is used.
  const state = JSON.parse(body) as RunState
  if (state.formatVersion !== FORMAT_VERSION || state.engineVersion > ENGINE_VERSION) {
    throw new Fault(
      'engine.unsupported',
      `format ${state.formatVersion} and engine ${state.engineVersion} of run ${state.runId} are newer than this binary`,
      {
        formatVersion: state.formatVersion,
        engineVersion: state.engineVersion,
      },
    )
  }
  return state
}

/** `waiting` when only people or events are waited for: such a run needs no memory. */
export const runStatus = (state: RunState): 'running' | 'waiting' | 'ended' => {
  if (state.status === 'ended') return 'ended'
  return state.clock.sinceMs === null ? 'waiting' : 'running'
}

/** Hash of the plan that records of this run are decided with. */
export const planHashOf = (state: RunState): string => (state.status === 'ended' ? state.planHash : state.pinned.planHash)

/** When the run was asked for, by the clock of its intake. */
export const requestedAtOf = (state: RunState): number => (state.status === 'ended' ? state.requestedAtMs : state.pinned.requestedAtMs)

/** When the run must be woken if nothing happens before; null when it has ended. */
export const nextWakeAtMs = (state: RunState): number | null => (state.status === 'ended' ? null : state.wakeAtMs)

/** What its owner appends for a run whose time has come: one record wakes everything that is due in the run when it is read back (L1). */
export const dueTimers = (state: RunState, nowMs: number): readonly MessageOf<'timer.matured'>[] => {
  const dueAtMs = nextWakeAtMs(state)
  return dueAtMs === null || dueAtMs > nowMs ? [] : [{ runId: state.runId, timerId: WAKE, dueAtMs }]
}

/** The one timer a run has outside of the engine: inside, leases and limits are many. */
export const WAKE = 'wake'
