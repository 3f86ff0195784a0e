// Dead letters of every service: looked at, and sent back to where they failed or put away (R8, F4).
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common'
import { z } from 'zod'
import { Fault, isFaultCode, SERVICES } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, ValidQuery, type Platform } from '@baton/service'
import type { Job } from '@baton/store'
import { summaryOf } from '@baton/bus'
import type { HttpReply } from '../forward/forward.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import { waitMsOf } from '../runs/run-wait.ts'
import { DESK, JOBS } from '../tokens.ts'
import { cursorText, itemOf, parseCursor, viewOf, type DeadLetterItem, type DeadLetterView } from './dead-letter.view.ts'
import { LETTER_RETENTION_MS, type DeskLetter, type LetterDesk } from './letter-desk.ts'
import { DiscardBody, letterJobBody, RedriveBody, type LetterJobBody } from './letter-bodies.ts'
import { applyEdit } from './letter-edit.ts'
import { isWhole } from './letter-edit-body.ts'
import { FILTER, filterOf, isMeant } from './letter-filter.ts'
import { groupLetters, type LetterGroup } from './letter-groups.policy.ts'
import { parseLetterId, serviceOf, type LetterPlace } from './letter-id.ts'
import { LETTER_JOB } from './letter-job.ts'
import { letterQuery } from './letter-query.ts'

const PAGE_MAX = 200
const KEY_CHARS_MAX = 256
const CALLER = 'http'
const DAY_MS = 86_400_000
/** How long a caller waits for a job that is soon done, and how often it is looked at. */
const WAIT_MS = 2_000
const LOOK_MS = 20

const State = z.enum(['open', 'redriven', 'discarded', 'all']).default('open')
const ListQuery = z.looseObject({
  ...FILTER,
  state: State,
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  cursor: z.string().max(64).optional(),
})
type ListQuery = z.infer<typeof ListQuery>

const GroupQuery = ListQuery.omit({ cursor: true }).extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}\/[0-9a-f]{16}$/, 'not from a page before')
    .optional(),
})
type GroupQuery = z.infer<typeof GroupQuery>

type Page<T> = {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly retentionDays: number
  readonly forgotten?: number
}

/** What became of a redrive or discard, as far as it is done. `redriveId` is the name of the job. */
export type LetterJobView = {
  readonly jobId: string
  readonly redriveId: string
  readonly action: string
  readonly status: Job['status']
  readonly dryRun: boolean
  readonly matched: number
  readonly redriven: number
  readonly discarded: number
  readonly failed: number
  /** Ids of the first letters, those that were refused with the reason, and how many the condition could not be said of. */
  readonly letters?: readonly string[]
  readonly refused?: readonly object[]
  readonly undecided?: number
}

@Controller('v1')
export class DeadLetterController {
  readonly #platform: Platform
  readonly #desk: LetterDesk
  readonly #runner: JobRunner

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(DESK) desk: LetterDesk, @Inject(JOBS) runner: JobRunner) {
    this.#platform = platform
    this.#desk = desk
    this.#runner = runner
  }

  /** Open letters if nothing else is said, oldest first, service by service. */
  @Get('dead-letters')
  async list(@ValidQuery(ListQuery) { limit, cursor, ...query }: ListQuery): Promise<Page<DeadLetterItem>> {
    const nowMs = this.#platform.nowMs()
    const after = cursor === undefined ? undefined : parseCursor(cursor)
    const all = await this.#meant(query, nowMs)
    const rest = after === undefined ? all : all.filter(isBehind(after))
    const page = rest.slice(0, limit)
    const last = page.at(-1)
    return {
      items: page.map((letter) => itemOf(letter, nowMs)),
      nextCursor: last === undefined || rest.length <= limit ? null : cursorText(last),
      ...this.#bounds(query),
    }
  }

  /** Letters by fingerprint, the trouble that was met last first. */
  @Get('dead-letters/groups')
  async groups(@ValidQuery(GroupQuery) { limit, cursor, ...query }: GroupQuery): Promise<Page<LetterGroup>> {
    const groups = groupLetters(await this.#meant(query, this.#platform.nowMs()))
    const [, atMs = '', fingerprint = ''] = /^(\d+)\/(.+)$/.exec(cursor ?? '') ?? []
    const rest =
      cursor === undefined
        ? groups
        : groups.filter((one) => one.lastSeenAtMs < Number(atMs) || (one.lastSeenAtMs === Number(atMs) && one.fingerprint > fingerprint))
    const page = rest.slice(0, limit)
    const last = page.at(-1)
    const known = await this.#platform.stores.deadLetters.firstSeen(page.map((group) => group.fingerprint))
    return {
      items: page.map((group) => ({ ...group, firstSeenAtMs: Math.min(group.firstSeenAtMs, known.get(group.fingerprint) ?? Infinity) })),
      nextCursor: last === undefined || rest.length <= limit ? null : `${last.lastSeenAtMs}/${last.fingerprint}`,
      ...this.#bounds(query),
    }
  }

  @Get('dead-letters/:id')
  show(@Param('id') id: string, @Query('raw') raw: string | undefined): Promise<DeadLetterView> {
    return this.#show(id, raw)
  }

  @Get('dead-letters/:service/:offset')
  showAt(@Param('service') name: string, @Param('offset') offset: string, @Query('raw') raw: string | undefined): Promise<DeadLetterView> {
    return this.#show(`${serviceOf(name)}/${offset}`, raw)
  }

  /** `POST /v1/dead-letters:redrive`: 200 with what was done, or 202 when that takes longer. */
  @Post('dead-letters::redrive')
  @HttpCode(200)
  async redrive(
    @ValidBody(RedriveBody) body: RedriveBody,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Query('wait') wait: string | undefined,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<LetterJobView & { readonly changes?: object }> {
    const changes = await this.#look(body)
    const view = await this.#begin(letterJobBody('redrive', body, this.#platform.nowMs()), { body, headers, wait, reply })
    return changes === undefined ? view : { ...view, changes }
  }

  /** `POST /v1/dead-letters:discard`. */
  @Post('dead-letters::discard')
  @HttpCode(200)
  async discard(
    @ValidBody(DiscardBody) body: DiscardBody,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Query('wait') wait: string | undefined,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<LetterJobView> {
    return this.#begin(letterJobBody('discard', body, this.#platform.nowMs()), { body, headers, wait, reply })
  }

  async #meant({ state, ...words }: Omit<ListQuery, 'limit' | 'cursor'>, nowMs: number): Promise<readonly DeskLetter[]> {
    const filter = filterOf(words, nowMs)
    await this.#desk.refresh(filter.services)
    const letters: DeskLetter[] = []
    for (const letter of this.#desk.letters(filter.services))
      if ((state === 'all' || letter.state === state) && isMeant(letter, filter)) letters.push(letter)
    return letters
  }

  #bounds({ service }: Pick<ListQuery, 'service'>): { readonly retentionDays: number; readonly forgotten?: number } {
    const services = filterOf({ service }, 0).services
    const forgotten = services.reduce((sum, name) => sum + this.#desk.book(name).forgotten, 0)
    return { retentionDays: LETTER_RETENTION_MS / DAY_MS, ...(forgotten === 0 ? {} : { forgotten }) }
  }

  async #show(id: string, raw: string | undefined): Promise<DeadLetterView> {
    const { service, offset } = parseLetterId(id)
    await this.#desk.refresh([service])
    const book = this.#desk.book(service)
    const letter = await book.read(offset)
    const isRaw = raw !== undefined && raw !== 'false'
    if (isRaw) this.#platform.telemetry.logger.info({ letter: id }, 'bytes of a dead letter shown')
    return viewOf({ ...summaryOf(letter), service }, letter, { nowMs: this.#platform.nowMs(), raw: isRaw })
  }

  /** Refuses at once what would be refused for the one letter that is meant; gives what an edit of it changes. */
  async #look(body: RedriveBody): Promise<object | undefined> {
    if (body.where !== undefined) letterQuery(body.where)
    const { edit } = body
    if (edit === undefined) return undefined
    const { named = [] } = letterJobBody('redrive', body, 0)
    const [id] = named
    if (named.length !== 1 || id === undefined) {
      if (isWhole(edit)) throw new Fault('request.malformed', 'edit: a whole body is that of one message; name it', { field: 'edit' })
      return undefined
    }
    const { service, offset } = parseLetterId(id)
    return applyEdit(await this.#desk.book(service).read(offset), edit).changes
  }

  async #begin(
    job: LetterJobBody,
    {
      body,
      headers,
      wait,
      reply,
    }: {
      body: { readonly by?: string | undefined }
      headers: Readonly<Record<string, string | undefined>>
      wait: string | undefined
      reply: HttpReply
    },
  ): Promise<LetterJobView> {
    if (job.where !== undefined) letterQuery(job.where)
    const waitMs = waitMsOf(wait) ?? WAIT_MS
    const key = headers['idempotency-key']
    if (key !== undefined && key.length > KEY_CHARS_MAX)
      throw new Fault('request.malformed', `Idempotency-Key is longer than ${KEY_CHARS_MAX} characters`, { field: 'idempotency-key' })
    const { jobs } = this.#platform.stores
    const tenant = tenantOf(headers[TENANT_HEADER])
    const { jobId } = await jobs.create({ tenant, jobId: key ?? `job_${randomUUID()}`, kind: LETTER_JOB, body: job, by: body.by ?? CALLER })
    this.#runner.nudge()
    const ended = await this.#await({ tenant, jobId }, waitMs)
    if (ended.status !== 'completed' && ended.status !== 'failed') reply.code(202)
    return this.#viewOf(ended)
  }

  async #await(of: { tenant: string; jobId: string }, waitMs: number): Promise<Job> {
    const untilMs = performance.now() + waitMs
    for (;;) {
      const job = await this.#platform.stores.jobs.find(of)
      if (job === undefined) throw new Fault('request.not_found', `no job ${of.jobId}`, { jobId: of.jobId })
      if (job.status !== 'running' || performance.now() >= untilMs) return job
      await sleep(LOOK_MS)
    }
  }

  #viewOf(job: Job): LetterJobView {
    const { jobId, status, matched, done, failed, fault } = job
    if (fault !== null && isFaultCode(fault.code)) throw new Fault(fault.code, fault.message, { jobId })
    const { action, dryRun, found = {} } = this.#runner.about(job)
    const isRedrive = action === 'redrive'
    return {
      jobId,
      redriveId: jobId,
      action,
      status,
      dryRun,
      matched,
      redriven: isRedrive ? done : 0,
      discarded: isRedrive ? 0 : done,
      failed,
      ...found,
    }
  }
}

const isBehind =
  (after: LetterPlace) =>
  ({ service, offset }: DeskLetter): boolean => {
    const order = SERVICES.indexOf(service) - SERVICES.indexOf(after.service)
    return order > 0 || (order === 0 && offset > after.offset)
  }
