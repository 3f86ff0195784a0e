import { encodeEvent, TOPICS } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus/bus'

export type DueTimer = { readonly runId: string; readonly timerId: string; readonly dueAtMs: number }

/** A due timer as a record of the run's log; it takes effect when it is read back (L1). */
export const timerRecord = (timer: DueTimer, place: { partition: number; tenant: string; time: string }): OutgoingRecord => ({
  topic: TOPICS.events,
  partition: place.partition,
  ...encodeEvent({
    name: 'timer.matured',
    data: timer,
    id: `${timer.runId}/timer/${timer.timerId}/${timer.dueAtMs}`,
    source: '/baton/routing',
    subject: timer.runId,
    tenant: place.tenant,
    time: place.time,
  }),
})

/** Wakes the loop when the earliest timer is due, at most `pauseMsMax` later. One timeout, however many runs wait. */
export const createAlarm = ({ nowMs, pauseMsMax, onRing }: { nowMs: () => number; pauseMsMax: number; onRing: () => void }) => {
  let timer: NodeJS.Timeout | undefined
  let setForMs = Number.POSITIVE_INFINITY
  return {
    /** Rings no later than `atMs`. */
    set: (atMs: number | null): void => {
      const target = Math.min(atMs ?? Number.POSITIVE_INFINITY, nowMs() + pauseMsMax)
      if (target >= setForMs) return
      clearTimeout(timer)
      setForMs = target
      timer = setTimeout(
        () => {
          setForMs = Number.POSITIVE_INFINITY
          onRing()
        },
        Math.max(1, target - nowMs()),
      )
    },
    stop: (): void => clearTimeout(timer),
  }
}
