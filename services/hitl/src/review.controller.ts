// Reviews over HTTP: the queue, one review with everything needed to decide, and what a person does with it.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault, Priority, toFault } from '@baton/contracts'
import { PLATFORM, ValidBody, ValidQuery, type Platform } from '@baton/service'
import type { PeopleSettings } from './people/people.config.ts'
import { personIn, type PersonHeaders } from './people/person.ts'
import { ActionBody, BulkBody, commandOf } from './review-bodies.ts'
import { contextOf } from './review-context.ts'
import type { ReviewDesk } from './review-desk.ts'
import { cursorOf, parseCursor, summaryOf, viewOf } from './review-view.ts'
import type { ReviewRepository } from './review.repository.ts'
import { CLOSED_STATUSES, OPEN_STATUSES, type Review } from './review.ts'
import { TENANT_HEADER, tenantOf } from './tenant.ts'
import { PEOPLE, REVIEW_DESK, REVIEWS } from './tokens.ts'

const ListQuery = z.object({
  status: z.enum(['open', 'all', ...OPEN_STATUSES, ...CLOSED_STATUSES]).default('open'),
  queue: z.string().max(200).optional(),
  priority: Priority.optional(),
  kind: z.enum(['approval', 'edit', 'question', 'label']).optional(),
  person: z.string().max(200).optional(),
  run: z.string().max(80).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})

/** What makes reviews alike: the same question at the same step of the same plan. */
const alike = ({ terms, flow, queue }: Review): string => JSON.stringify([terms.kind, flow, terms.planHash, terms.nodeId, queue])

@Controller('v1/reviews')
export class ReviewController {
  readonly #platform: Platform
  readonly #desk: ReviewDesk
  readonly #reviews: ReviewRepository
  readonly #people: PeopleSettings

  constructor(
    @Inject(PLATFORM) platform: Platform,
    @Inject(REVIEW_DESK) desk: ReviewDesk,
    @Inject(REVIEWS) reviews: ReviewRepository,
    @Inject(PEOPLE) people: PeopleSettings,
  ) {
    this.#platform = platform
    this.#desk = desk
    this.#reviews = reviews
    this.#people = people
  }

  /** By priority, then due time; `cursor` goes on where the page before ended. */
  @Get()
  async list(@Headers(TENANT_HEADER) tenant: string | undefined, @ValidQuery(ListQuery) query: z.infer<typeof ListQuery>): Promise<object> {
    const { cursor, ...filter } = query
    const nowMs = this.#platform.nowMs()
    const reviews = await this.#reviews.list({ ...filter, tenant: tenantOf(tenant), nowMs, after: parseCursor(cursor) })
    const last = reviews.at(-1)
    return {
      items: reviews.map((review) => summaryOf(review, nowMs)),
      nextCursor: last !== undefined && reviews.length === query.limit ? cursorOf(last) : null,
    }
  }

  @Get(':id')
  async show(@Headers(TENANT_HEADER) tenant: string | undefined, @Param('id') id: string): Promise<object> {
    const stored = await this.#reviews.load({ tenant: tenantOf(tenant), taskId: id })
    if (stored === undefined) throw new Fault('request.not_found', 'no review has this id', { id })
    const nowMs = this.#platform.nowMs()
    const context = await contextOf(stored.review, { reviews: this.#reviews, call: this.#platform.call, nowMs })
    return { ...viewOf(stored.review, nowMs), resultSchema: stored.resultSchema, context }
  }

  /** `bulk:decide`: the same decision for many that are alike; each is bound to its own fingerprint. */
  @Post('bulk:decide')
  @HttpCode(200)
  async bulk(@Headers() headers: PersonHeaders, @ValidBody(BulkBody) body: BulkBody): Promise<object> {
    const tenant = tenantOf(headers[TENANT_HEADER])
    const person = personIn(headers, body.by, this.#people)
    const { verdict, reason, because } = body
    const stored = await Promise.all(body.tasks.map(({ taskId }) => this.#reviews.load({ tenant, taskId })))
    const reviews = stored.flatMap((one) => (one === undefined ? [] : [one.review]))
    if (new Set(reviews.map(alike)).size > 1)
      throw new Fault('request.malformed', 'tasks: these ask for different things; decide alike ones together', { field: 'tasks' })
    if (reviews.some(({ terms }) => terms.risk === 'irreversible'))
      throw new Fault('request.malformed', 'tasks: what cannot be taken back is decided one by one', { field: 'tasks' })
    const items: object[] = []
    for (const { taskId, fingerprint } of body.tasks) {
      const command = { ...person, type: 'review.decide', verdict, reason, because, fingerprint, atMs: this.#platform.nowMs() } as const
      try {
        items.push({ taskId, status: (await this.#desk.change({ tenant, taskId }, command)).status })
      } catch (error) {
        items.push({ taskId, fault: toFault(error).data })
      }
    }
    return { items }
  }

  /** `{id}:claim`, `:release`, `:reassign`, `:delegate`, `:decide`, `:undo`, `:cancel`. */
  @Post(':target')
  @HttpCode(200)
  async act(@Headers() headers: PersonHeaders, @Param('target') target: string, @ValidBody(ActionBody) body: ActionBody): Promise<object> {
    const at = target.lastIndexOf(':')
    const atMs = this.#platform.nowMs()
    const person = personIn(headers, body?.by, this.#people)
    const command = commandOf(target.slice(at + 1), body, { person, atMs })
    const review = await this.#desk.change({ tenant: tenantOf(headers[TENANT_HEADER]), taskId: target.slice(0, Math.max(0, at)) }, command)
    return viewOf(review, atMs)
  }
}
