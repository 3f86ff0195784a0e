// Reviews over HTTP: the queue, one review, and what a person does with it.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault, Priority, Verdict, type Json } from '@baton/contracts'
import { PLATFORM, ValidBody, ValidQuery, type Platform } from '@baton/service'
import type { ReviewDesk } from './review-desk.ts'
import { holderOf, type Review, type ReviewCommand } from './review.decider.ts'
import { rankOf, type ReviewRepository } from './review.repository.ts'
import { TENANT_HEADER, tenantOf, USER_HEADER } from './tenant.ts'

/** Tokens of the desk and the tables. */
export const REVIEW_DESK = Symbol('review desk')
export const REVIEWS = Symbol('reviews')

/** How long a claim lasts where nothing else is asked for: 15 minutes. */
const CLAIM_LEASE_MS = 900_000

const ListQuery = z.object({
  status: z.enum(['open', 'all', 'pending', 'claimed', 'decided', 'expired', 'cancelled']).default('open'),
  queue: z.string().max(100).optional(),
  priority: Priority.optional(),
  run: z.string().max(80).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})
const ActionBody = z
  .object({
    by: z.string().min(1).max(200).optional(),
    leaseMs: z.number().int().min(1_000).max(28_800_000).optional(),
    verdict: Verdict.optional(),
    output: z.custom<Json>((value) => value !== undefined).optional(),
    reason: z.string().max(4_000).optional(),
    fingerprint: z.string().max(64).optional(),
  })
  .nullish()
type ActionBody = z.infer<typeof ActionBody>

const Cursor = z.tuple([z.number(), z.number(), z.string()])

const cursorOf = ({ priority, dueAtMs, taskId }: Review): string =>
  Buffer.from(JSON.stringify([rankOf(priority), dueAtMs, taskId])).toString('base64url')

const parseCursor = (cursor: string | undefined): { rank: number; dueAtMs: number; taskId: string } | undefined => {
  if (cursor === undefined) return undefined
  try {
    const [rank, dueAtMs, taskId] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { rank, dueAtMs, taskId }
  } catch (error) {
    throw new Fault('request.malformed', 'cursor: not one of ours', { field: 'cursor' }, { cause: error })
  }
}

/** A review as readers see it. A claim whose lease is over is none. */
const viewOf = (review: Review, nowMs: number): object => {
  const { answerPartition: _partition, ...rest } = review
  const lapsed = review.status === 'claimed' && holderOf(review, nowMs) === null
  return { ...rest, ...(lapsed ? { status: 'pending', claimedBy: null, claimUntilMs: null } : {}) }
}

/** Without what the person sees: JSON leaves out what is undefined. */
const summaryOf = (review: Review, nowMs: number): object => ({ ...viewOf(review, nowMs), input: undefined })

const personOf = (body: ActionBody, header: string | undefined): string => {
  const by = body?.by ?? header
  if (by === undefined || by === '') throw new Fault('request.malformed', 'by: who does this is required', { field: 'by' })
  return by
}

const decideCommand = (body: ActionBody, by: string, atMs: number): ReviewCommand & { type: 'review.decide' } => {
  if (body?.verdict === undefined)
    throw new Fault('request.malformed', `verdict: one of ${Verdict.options.join(', ')} is required`, { field: 'verdict' })
  return { type: 'review.decide', by, verdict: body.verdict, output: body.output, reason: body.reason, fingerprint: body.fingerprint, atMs }
}

const commandOf = (
  action: string,
  body: ActionBody,
  { by, atMs }: { by: string; atMs: number },
): Exclude<ReviewCommand, { type: 'review.request' }> => {
  switch (action) {
    case 'claim':
      return { type: 'review.claim', by, leaseMs: body?.leaseMs ?? CLAIM_LEASE_MS, atMs }
    case 'release':
      return { type: 'review.release', by, atMs }
    case 'decide':
      return decideCommand(body, by, atMs)
    case 'cancel':
      return { type: 'review.cancel', by, atMs }
    default:
      throw new Fault('request.not_found', `a review can be claimed, released, decided or cancelled, not ${action}`)
  }
}

@Controller('v1/reviews')
export class ReviewController {
  readonly #platform: Platform
  readonly #desk: ReviewDesk
  readonly #reviews: ReviewRepository

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(REVIEW_DESK) desk: ReviewDesk, @Inject(REVIEWS) reviews: ReviewRepository) {
    this.#platform = platform
    this.#desk = desk
    this.#reviews = reviews
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
    return { ...viewOf(stored.review, this.#platform.nowMs()), resultSchema: stored.resultSchema }
  }

  /** `{id}:claim`, `{id}:release`, `{id}:decide`, `{id}:cancel`. */
  @Post(':target')
  @HttpCode(200)
  async act(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Headers(USER_HEADER) user: string | undefined,
    @Param('target') target: string,
    @ValidBody(ActionBody) body: ActionBody,
  ): Promise<object> {
    const at = target.lastIndexOf(':')
    const atMs = this.#platform.nowMs()
    const command = commandOf(target.slice(at + 1), body, { by: personOf(body, user), atMs })
    const review = await this.#desk.change({ tenant: tenantOf(tenant), taskId: target.slice(0, Math.max(0, at)) }, command)
    return viewOf(review, atMs)
  }
}
