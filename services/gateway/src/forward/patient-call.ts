// Reads of what was begun a moment ago.
//   G10. A run that was accepted is found: tracing learns of it from the journal, a moment after the caller has its id.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceCall } from '@baton/service'

/** Pauses before what is not found counts as not there; together below a second. */
const PAUSES_MS = [25, 50, 100, 200, 400] as const

/** Calls again while the answer is 404, a few times. */
export const patientCall =
  (call: ServiceCall): ServiceCall =>
  async (request) => {
    let reply = await call(request)
    for (const pauseMs of PAUSES_MS) {
      if (reply.status !== 404) break
      await sleep(pauseMs)
      reply = await call(request)
    }
    return reply // G10
  }
