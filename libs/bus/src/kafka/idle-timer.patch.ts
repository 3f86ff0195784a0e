// kafkajs 2.2.4 asks every connection's request queue "anything to do?" on a timer that it also starts when there is nothing to do. An
// idle process wakes once a millisecond for it (4 % of a core; tulios/kafkajs#1604, #1751) and Node 24 warns of a negative timeout.
// With this patch the timer runs only while requests wait or the broker throttles; then as before. The second timer, which looks for
// requests without an answer ten times a second on every connection, looks every 2.5 s: the limit it enforces is 30 s.
import { createRequire } from 'node:module'

const PENDING_CHECK_MS = 10
const TIMEOUT_CHECK_MS = 2_500

type RequestQueue = {
  enforceRequestTimeout: boolean
  requestTimeout: number
  requestTimeoutIntervalId: NodeJS.Timeout | undefined
  inflight: ReadonlyMap<number, { readonly sentAt: number; readonly requestTimeout: number; timeoutRequest(): void }>
  isConnected(): boolean
  destroy(): void
  scheduleRequestTimeoutCheck(): void
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  pending: readonly unknown[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

/** Replaces the queue's timers; doing it again changes nothing. */
export const patchIdleTimer = (): void => {
  // kafkajs publishes no types of its inside; the shape is that of the pinned version.
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
  prototype.scheduleRequestTimeoutCheck = scheduleRequestTimeoutCheck
}

function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null) return
  const throttledMs = this.throttledUntil - Date.now()
  if (this.pending.length === 0 && throttledMs <= 0) return
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttledMs > 0 ? throttledMs : PENDING_CHECK_MS,
  )
}

function scheduleRequestTimeoutCheck(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return
  this.destroy()
  const check = (): void => {
    for (const request of this.inflight.values()) if (Date.now() - request.sentAt > request.requestTimeout) request.timeoutRequest()
    if (!this.isConnected()) this.destroy()
  }
  this.requestTimeoutIntervalId = setInterval(check, Math.min(this.requestTimeout, TIMEOUT_CHECK_MS))
}
