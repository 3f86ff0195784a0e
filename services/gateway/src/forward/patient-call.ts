// Reads of what was begun a moment ago.
//   G10. A run that was accepted is found: tracing learns of it from the journal, a moment after the caller has its id.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceCall, ServiceReply } from '@baton/service'

/** Pauses before what is not found counts as not there; together below a second. */
const PAUSES_MS = [25, 50, 100, 200, 400] as const

/** Calls again while the answer is 404, or another that is not awaited yet, a few times. */
export const patientCall =
  (call: ServiceCall, isThere: (reply: ServiceReply) => boolean = ({ status }) => status !== 404): ServiceCall =>
  async (request) => {
    let reply = await call(request)
    for (const pauseMs of PAUSES_MS) {
      if (isThere(reply)) break
      await sleep(pauseMs)
      reply = await call(request)
    }
    return reply // G10
  }
