// The letters of a job, page by page, service by service, the oldest first.
//   Y1. A job takes the letters that were there when it began: what comes back while it works is not among them.
//   Y2. What is to be done is written down before it is begun, so that whoever goes on neither repeats nor forgets any of it.
//   G9. A command of a run that has ended is not redriven: it would change nothing, and could do an effect nobody waits for.
import { z } from 'zod'
import type { DeadLetter } from '@baton/bus'
import { Fault, isJsonObject, SERVICES, WORKER_SERVICES, type Json, type ServiceName } from '@baton/contracts'
import type { Platform } from '@baton/service'
import { runIdOf } from './dead-letter.view.ts'
import type { LetterDesk } from './letter-desk.ts'
import type { LetterJobBody } from './letter-bodies.ts'
import { applyEdit } from './letter-edit.ts'
import { isMeant } from './letter-filter.ts'
import { letterId, parseLetterId } from './letter-id.ts'
import { letterQuery, type LetterQuery } from './letter-query.ts'

const PAGE_LETTERS = 200
const REFUSED_KEPT_MAX = 100
const TAKEN_KEPT_MAX = 1_000
/** Runs that tracing is asked about at once. */
const ASKED_AT_ONCE = 16

const Refused = z.object({ id: z.string(), offset: z.number(), reason: z.string() })

const Place = z.object({
  /** Where each topic ended when the job began. */
  ends: z.partialRecord(z.enum(SERVICES), z.number()),
  service: z.enum(SERVICES).nullable(),
  /** Letters up to this one were looked at. */
  offset: z.number(),
  /** Ids of letters of one service. */
  page: z.array(z.string()),
  /** How many letters of the page are done. */
  at: z.number().int().nonnegative(),
  /** Letters the condition cannot be said of. */
  undecided: z.number(),
  refusedCount: z.number(),
  refused: z.array(Refused),
  taken: z.array(z.string()),
})
/** How far a job is (Y2). */
export type LetterPlaceOfJob = z.infer<typeof Place>

/** The place of a job as it was kept; undefined when it was not begun. */
export const keptPlace = (kept: Json): LetterPlaceOfJob | undefined => {
  const parsed = Place.safeParse(kept)
  return parsed.success ? parsed.data : undefined
}

/** Y1. */
export const beginPlace = async (desk: LetterDesk, { services }: LetterJobBody): Promise<LetterPlaceOfJob> => {
  await desk.refresh(services)
  const ends = Object.fromEntries(services.map((service) => [service, desk.book(service).next]))
  const start = { service: services[0] ?? null, offset: -1, page: [], at: 0 }
  return { ends, ...start, undecided: 0, refusedCount: 0, refused: [], taken: [] }
}

export type Finder = {
  readonly desk: LetterDesk
  readonly call: Platform['call']
  readonly body: LetterJobBody
  readonly jobId: string
}

/** The next page: at most `left` letters. */
export const nextLetters = async (finder: Finder, place: LetterPlaceOfJob, left: number): Promise<LetterPlaceOfJob> => {
  const { desk, body } = finder
  const { service } = place
  if (service === null || left <= 0) return { ...place, service: null, page: [], at: 0 }
  await desk.refresh([service])
  const candidates = candidatesOf(finder, service, place)
  const looked = candidates.slice(0, PAGE_LETTERS)
  const found = await sift(finder, service, looked)
  const page = found.offsets.slice(0, left).map((offset) => letterId({ service, offset }))
  return {
    ...place,
    ...behind(body, { service, candidates, looked, isFull: found.offsets.length >= left }),
    page,
    at: 0,
    undecided: place.undecided + found.undecided,
    refusedCount: place.refusedCount + found.refused.length,
    refused: [...place.refused, ...found.refused].slice(0, REFUSED_KEPT_MAX),
    taken: [...place.taken, ...page].slice(0, TAKEN_KEPT_MAX),
  }
}

/** Where the page after this one begins. */
const behind = (
  { services }: LetterJobBody,
  page: { service: ServiceName; candidates: readonly number[]; looked: readonly number[]; isFull: boolean },
): Pick<LetterPlaceOfJob, 'service' | 'offset'> => {
  if (page.isFull) return { service: null, offset: -1 }
  if (page.candidates.length > page.looked.length) return { service: page.service, offset: page.looked.at(-1) ?? -1 }
  return { service: services[services.indexOf(page.service) + 1] ?? null, offset: -1 }
}

/** Offsets behind the place, as far as summaries can tell. A letter that this job sent before it broke off is not sent again. */
const candidatesOf = ({ desk, body }: Finder, service: ServiceName, { offset, ends }: LetterPlaceOfJob): readonly number[] => {
  const end = ends[service] ?? 0
  if (body.named !== undefined)
    return body.named
      .map(parseLetterId)
      .filter((named) => named.service === service && named.offset > offset)
      .map((named) => named.offset)
      .toSorted((one, other) => one - other)
  const offsets: number[] = []
  for (const letter of desk.book(service).lettersAfter(offset)) {
    if (letter.offset >= end || offsets.length > PAGE_LETTERS) break
    if (letter.state === 'open' && isMeant({ ...letter, service }, body)) offsets.push(letter.offset)
  }
  return offsets
}

type Sifted = {
  readonly offsets: readonly number[]
  readonly undecided: number
  readonly refused: LetterPlaceOfJob['refused']
}

/** Those of the candidates that are meant and can be sent. */
const sift = async (finder: Finder, service: ServiceName, candidates: readonly number[]): Promise<Sifted> => {
  const { desk, body } = finder
  const query = body.where === undefined ? undefined : letterQuery(body.where)
  const ended = new Map<string, Promise<boolean>>()
  const letters = await desk.book(service).readMany(candidates)
  const there = new Set(letters.map(({ offset }) => offset))
  const refused = candidates
    .filter((offset) => !there.has(offset))
    .map((offset) => ({ id: letterId({ service, offset }), offset, reason: 'there is no such dead letter' }))
  const verdicts = letters.map((letter) => ({
    letter,
    verdict: query === undefined ? true : asked(query, { desk, service, letter }),
  }))
  const meant = verdicts.filter(({ verdict }) => verdict === true).map(({ letter }) => letter)
  const offsets: number[] = []
  for (let n = 0; n < meant.length; n += ASKED_AT_ONCE) {
    const some = meant.slice(n, n + ASKED_AT_ONCE)
    const reasons = await Promise.all(some.map((letter) => refusalOf(finder, { service, letter, ended })))
    for (const [index, { offset }] of some.entries()) {
      const reason = reasons[index]
      if (reason === undefined) offsets.push(offset)
      else refused.push({ id: letterId({ service, offset }), offset, reason })
    }
  }
  return { offsets, undecided: verdicts.filter(({ verdict }) => verdict === 'undecided').length, refused }
}

const asked = (
  query: LetterQuery,
  { desk, service, letter }: { desk: LetterDesk; service: ServiceName; letter: DeadLetter },
): boolean | 'undecided' => {
  const summary = desk.book(service).get(letter.offset)
  return summary === undefined ? false : query(service, summary, letter)
}

const COMMANDED: ReadonlySet<string> = new Set(WORKER_SERVICES)

/** Why a letter is not sent; undefined when it is. */
const refusalOf = async (
  { body, call }: Finder,
  { service, letter, ended }: { service: ServiceName; letter: DeadLetter; ended: Map<string, Promise<boolean>> },
): Promise<string | undefined> => {
  if (body.action === 'discard') return undefined
  if (COMMANDED.has(service)) {
    const runId = runIdOf(letter)
    const isOver = ended.get(runId) ?? hasEnded(call, runId)
    ended.set(runId, isOver)
    if (await isOver) return `run ${runId} has ended: \`baton runs retry ${runId}\` runs it again` // G9
  }
  if (body.edit === undefined) return undefined
  try {
    applyEdit(letter, body.edit)
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}

const ENDED: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled'])

/** Of a run that tracing does not know nothing is said. */
const hasEnded = async (call: Platform['call'], runId: string): Promise<boolean> => {
  const reply = await call({ service: 'tracing', method: 'GET', path: `/v1/runs/${encodeURIComponent(runId)}` })
  if (reply.status >= 500) throw new Fault('bus.unavailable', `tracing answers ${reply.status}`)
  if (reply.status !== 200) return false
  const run: unknown = JSON.parse(reply.body)
  return isJsonObject(run) && ENDED.has(run['status'])
}
