// Where a page of runs ended: the time and id of its last run, opaque to callers.
import { Fault } from '@baton/contracts'
import { z } from 'zod'

const Place = z.tuple([z.number(), z.string()])

export type RunPlace = { readonly requestedAtMs: number; readonly runId: string }

/** The cursor behind a run. */
export const cursorOf = ({ requestedAtMs, runId }: RunPlace): string =>
  Buffer.from(JSON.stringify([requestedAtMs, runId])).toString('base64url')

/** Throws `request.malformed` for what is no cursor of ours. */
export const placeOf = (cursor: string): RunPlace => {
  try {
    const [requestedAtMs, runId] = Place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { requestedAtMs, runId }
  } catch (error) {
    throw new Fault('request.malformed', 'cursor: not one of ours', { field: 'cursor' }, { cause: error })
  }
}
