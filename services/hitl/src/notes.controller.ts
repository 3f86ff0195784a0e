// Comments and drafts over HTTP, and what could not be told outside.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Put } from '@nestjs/common'
import { z } from 'zod'
import { Fault, type Json } from '@baton/contracts'
import { PLATFORM, ValidBody, type Platform } from '@baton/service'
import type { PeopleSettings } from './people/people.config.ts'
import { personIn, type PersonHeaders } from './people/person.ts'
import type { Notes } from './notes.ts'
import { deadNotices, sendAgain } from './reach/dead-notices.ts'
import type { ReviewRepository } from './review.repository.ts'
import type { Review } from './review.ts'
import { TENANT_HEADER, tenantOf } from './tenant.ts'
import { NOTES, PEOPLE, REVIEWS } from './tokens.ts'

const CommentBody = z.object({ by: z.string().min(1).max(200).optional(), text: z.string().min(1).max(4_000) })
const DraftBody = z.object({ by: z.string().min(1).max(200).optional(), draft: z.custom<Json>((value) => value !== undefined) })

@Controller('v1/reviews')
export class NotesController {
  readonly #platform: Platform
  readonly #notes: Notes
  readonly #reviews: ReviewRepository
  readonly #people: PeopleSettings

  constructor(
    @Inject(PLATFORM) platform: Platform,
    @Inject(NOTES) notes: Notes,
    @Inject(REVIEWS) reviews: ReviewRepository,
    @Inject(PEOPLE) people: PeopleSettings,
  ) {
    this.#platform = platform
    this.#notes = notes
    this.#reviews = reviews
    this.#people = people
  }

  @Get('notices/dead')
  async dead(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<object> {
    return { items: await deadNotices(this.#platform.db, tenantOf(tenant)) }
  }

  @Post('notices/resend')
  @HttpCode(200)
  async resend(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<object> {
    return { notices: await sendAgain(this.#platform.db, { tenant: tenantOf(tenant), nowMs: this.#platform.nowMs() }) }
  }

  @Get(':id/comments')
  async comments(@Headers(TENANT_HEADER) tenant: string | undefined, @Param('id') taskId: string): Promise<object> {
    return { items: await this.#notes.comments({ tenant: tenantOf(tenant), taskId }) }
  }

  @Post(':id/comments')
  async comment(
    @Headers() headers: PersonHeaders,
    @Param('id') taskId: string,
    @ValidBody(CommentBody) body: z.infer<typeof CommentBody>,
  ): Promise<object> {
    const { by } = personIn(headers, body.by, this.#people)
    const atMs = this.#platform.nowMs()
    await this.#notes.comment(await this.#review(headers, taskId), { by, text: body.text, atMs })
    return { by, atMs }
  }

  /** What this person has written so far. */
  @Get(':id/draft')
  async draft(@Headers() headers: PersonHeaders, @Param('id') taskId: string): Promise<object> {
    const { by } = personIn(headers, undefined, this.#people)
    return { by, draft: (await this.#notes.draft({ tenant: tenantOf(headers[TENANT_HEADER]), taskId }, by)) ?? null }
  }

  @Put(':id/draft')
  async saveDraft(
    @Headers() headers: PersonHeaders,
    @Param('id') taskId: string,
    @ValidBody(DraftBody) body: z.infer<typeof DraftBody>,
  ): Promise<object> {
    const { by } = personIn(headers, body.by, this.#people)
    const { tenant } = await this.#review(headers, taskId)
    await this.#notes.saveDraft({ tenant, taskId }, { by, body: body.draft, atMs: this.#platform.nowMs() })
    return { by }
  }

  async #review(headers: PersonHeaders, taskId: string): Promise<Review> {
    const stored = await this.#reviews.load({ tenant: tenantOf(headers[TENANT_HEADER]), taskId })
    if (stored === undefined) throw new Fault('request.not_found', 'no review has this id', { id: taskId })
    return stored.review
  }
}
