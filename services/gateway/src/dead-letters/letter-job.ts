// Redriving and discarding dead letters as a kind of job.
//   L1. A letter that this job handled before it broke off is not handled again: the mark beside it says so.
//   L2. One letter that cannot be sent does not keep the others back; it is counted and named.
import { putAway, sendAgain, type DeadLetter, type Sender } from '@baton/bus'
import { deadLetterTopic, Fault, isRetryable, type ServiceName } from '@baton/contracts'
import type { Platform } from '@baton/service'
import type { Job } from '@baton/store'
import { chunkOf, type JobKind, type JobState } from '../jobs/job-kind.ts'
import type { LetterDesk } from './letter-desk.ts'
import { LetterJobBody } from './letter-bodies.ts'
import { applyEdit } from './letter-edit.ts'
import { letterId, parseLetterId } from './letter-id.ts'
import { beginPlace, keptPlace, nextLetters, type LetterPlaceOfJob } from './letter-pages.ts'

/** Kind of the jobs in the store. */
export const LETTER_JOB = 'dead-letters'

type Parts = Pick<Platform, 'bus' | 'call' | 'telemetry' | 'nowMs'> & { readonly desk: LetterDesk }

export const letterJobs = (parts: Parts): JobKind => ({
  kind: LETTER_JOB,
  open: (job) => {
    const body = LetterJobBody.parse(job.body)
    return {
      action: body.action,
      ratePerSecond: body.ratePerSecond,
      isOver: ({ place: kept }) => {
        const place = keptPlace(kept)
        return place !== undefined && place.service === null && place.at >= place.page.length
      },
      step: async (state) =>
        step(parts, { job, body }, { ...state, place: keptPlace(state.place) ?? (await beginPlace(parts.desk, body)) }),
    }
  },
  about: (job) => {
    const { action, dryRun, edit, ...query } = LetterJobBody.parse(job.body)
    const place = keptPlace(job.place)
    return {
      action,
      dryRun,
      query: { ...query, ...(edit === undefined ? {} : { edited: true }) },
      found: {
        letters: place?.taken ?? [],
        refused: place?.refused ?? [],
        refusedCount: place?.refusedCount ?? 0,
        undecided: place?.undecided ?? 0,
      },
    }
  },
})

type Asked = { readonly job: Job; readonly body: LetterJobBody }

/** One step forward: the next page, or a part of this one. */
const step = async (
  parts: Parts,
  { job, body }: Asked,
  { place, ...counts }: Omit<JobState, 'place'> & { readonly place: LetterPlaceOfJob },
): Promise<JobState> => {
  if (place.at >= place.page.length) {
    const finder = { desk: parts.desk, call: parts.call, body, jobId: job.jobId }
    const next = await nextLetters(finder, place, body.limit - counts.matched)
    return { ...counts, matched: counts.matched + next.page.length, place: body.dryRun ? { ...next, at: next.page.length } : next }
  }
  const chunk = place.page.slice(place.at, place.at + chunkOf(body.ratePerSecond)).map(parseLetterId)
  const [{ service } = { service: undefined }] = chunk
  const failed = service === undefined ? [] : await handle(parts, { job, body }, { service, offsets: chunk.map(({ offset }) => offset) })
  return {
    matched: counts.matched,
    done: counts.done + chunk.length - failed.length,
    failed: counts.failed + failed.length,
    place: { ...place, at: place.at + chunk.length, refused: [...place.refused, ...failed] },
  }
}

type Failed = LetterPlaceOfJob['refused']

/** Handles letters of one service; gives those that could not be. */
const handle = async (
  parts: Parts,
  { job, body }: Asked,
  { service, offsets }: { service: ServiceName; offsets: readonly number[] },
): Promise<Failed> => {
  const { desk, telemetry, nowMs } = parts
  await desk.refresh([service])
  const letters = await desk.book(service).readMany(offsets)
  const open = letters.filter(({ actions }) => !actions.some(({ id }) => id === job.jobId)) // L1
  const { reason } = body
  const sender: Sender = { id: job.jobId, nowMs: nowMs(), by: job.by, ...(reason === undefined ? {} : { reason }) }
  const gone = offsets.filter((offset) => !letters.some((letter) => letter.offset === offset))
  const failed: Failed = gone.map((offset) => ({ id: letterId({ service, offset }), offset, reason: 'it is not there any more' }))
  try {
    await act(parts, { service, body, sender }, open)
  } catch (error) {
    if (!(error instanceof Fault) || isRetryable(error.code)) throw error
    for (const letter of open) {
      const problem = await act(parts, { service, body, sender }, [letter]).then(() => undefined, problemOf)
      if (problem === undefined) continue
      const { offset } = letter
      failed.push({ id: letterId({ service, offset }), offset, reason: problem }) // L2
      telemetry.logger.warn({ jobId: job.jobId, letter: letterId({ service, offset }), reason: problem }, 'dead letter not handled')
    }
  }
  return failed
}

const problemOf = (error: unknown): string => {
  if (!(error instanceof Fault) || isRetryable(error.code)) throw error
  return error.message
}

const act = async (
  { bus }: Parts,
  { service, body, sender }: { service: ServiceName; body: LetterJobBody; sender: Sender },
  letters: readonly DeadLetter[],
): Promise<void> => {
  const topic = deadLetterTopic(service)
  if (body.action === 'discard') return putAway(bus, topic, { letters, sender })
  const { edit } = body
  const sendings = letters.map((letter) => ({ letter, ...(edit === undefined ? {} : { edit: applyEdit(letter, edit) }) }))
  return sendAgain(bus, topic, { letters: sendings, sender })
}
