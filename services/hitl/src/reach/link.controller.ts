// Links over HTTP: made for one person, shown by GET, used by POST.
//   L5. A GET never decides: programs that look at mail follow links.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common'
import { z } from 'zod'
import { Fault, toFault, Verdict } from '@baton/contracts'
import { PLATFORM, ValidBody, type Platform } from '@baton/service'
import type { PeopleSettings } from '../people/people.config.ts'
import { contextOf } from '../review-context.ts'
import type { ReviewDesk } from '../review-desk.ts'
import { decide } from '../review.decider.ts'
import type { ReviewRepository } from '../review.repository.ts'
import type { Review, ReviewCommand } from '../review.ts'
import { nameOfPerson } from '../people/person.ts'
import { TENANT_HEADER, tenantOf } from '../tenant.ts'
import { LINKS, PEOPLE, REVIEW_DESK, REVIEWS } from '../tokens.ts'
import { askPage, outcomePage } from './link-page.ts'
import { LINK_MS, linkBar, readLink, type Link } from './link-token.ts'
import type { Links } from './links.ts'

const MakeBody = z.object({
  person: z.string().min(1).max(100),
  verdicts: z.array(Verdict).min(1).optional(),
  forMs: z.number().int().min(60_000).max(LINK_MS).default(LINK_MS),
})
const DecideBody = z.object({ verdict: Verdict, reason: z.string().max(4_000).optional() })

type HtmlReply = { code(status: number): HtmlReply; header(name: string, value: string): HtmlReply; send(body: string): unknown }
const html = (reply: HtmlReply, status: number, body: string): unknown =>
  reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-security-policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
    .header('referrer-policy', 'no-referrer')
    .send(body)

@Controller('v1/reviews')
export class LinkController {
  readonly #platform: Platform
  readonly #desk: ReviewDesk
  readonly #reviews: ReviewRepository
  readonly #people: PeopleSettings
  readonly #links: Links

  constructor(
    @Inject(PLATFORM) platform: Platform,
    @Inject(REVIEW_DESK) desk: ReviewDesk,
    @Inject(REVIEWS) reviews: ReviewRepository,
    @Inject(PEOPLE) people: PeopleSettings,
    @Inject(LINKS) links: Links,
  ) {
    this.#platform = platform
    this.#desk = desk
    this.#reviews = reviews
    this.#people = people
    this.#links = links
  }

  /** Makes a link for a person; `path` is to be put behind the address of the gateway. */
  @Post(':id/links')
  async make(
    @Headers(TENANT_HEADER) tenantHeader: string | undefined,
    @Param('id') taskId: string,
    @ValidBody(MakeBody) { person, verdicts, forMs }: z.infer<typeof MakeBody>,
  ): Promise<object> {
    const tenant = tenantOf(tenantHeader)
    nameOfPerson(person)
    const review = await this.#review({ tenant, taskId })
    const bar = linkBar(review, this.#people.queue(review.queue))
    if (bar !== undefined) throw new Fault('review.not_allowed', bar)
    const { allowed } = review
    const expiresAtMs = this.#platform.nowMs() + forMs
    const may = allowed.filter((verdict) => verdicts?.includes(verdict) ?? true)
    const token = await this.#links.make({ tenant, taskId, person, verdicts: may, expiresAtMs })
    return { path: `/v1/reviews/link/${token}`, person, verdicts: may, expiresAtMs }
  }

  @Get('link/:token')
  async show(@Param('token') token: string, @Res() reply: HtmlReply): Promise<unknown> {
    try {
      const link = await this.#read(token)
      const review = await this.#review(link)
      if (review.status === 'decided' || (await this.#links.used(link.jti)))
        return html(reply, 200, outcomePage(review.title, outcomeOf(review)))
      const context = await contextOf(review, { reviews: this.#reviews, call: this.#platform.call, nowMs: this.#platform.nowMs() })
      return html(reply, 200, askPage(review, { context, link })) // L5
    } catch (error) {
      return html(reply, 404, outcomePage('This link leads nowhere', toFault(error).message))
    }
  }

  @Post('link/:token')
  @HttpCode(200)
  async decide(
    @Param('token') token: string,
    @ValidBody(DecideBody) { verdict, reason }: z.infer<typeof DecideBody>,
    @Res() reply: HtmlReply,
  ): Promise<unknown> {
    try {
      const review = await this.#use(await this.#read(token), verdict, reason)
      return html(reply, 200, outcomePage(review.title, outcomeOf(review)))
    } catch (error) {
      const fault = toFault(error)
      return html(reply, fault.code === 'request.not_found' ? 404 : 409, outcomePage('It was not decided by you', fault.message))
    }
  }

  async #use(link: Link, verdict: Verdict, reason: string | undefined): Promise<Review> {
    const review = await this.#review(link)
    const bar =
      linkBar(review, this.#people.queue(review.queue)) ??
      (link.verdicts.includes(verdict) ? undefined : `${verdict} is not what this link is for`)
    if (bar !== undefined) throw new Fault('review.not_allowed', bar)
    const atMs = this.#platform.nowMs()
    const person = this.#people.person(link.person, { roles: review.terms.roles ?? [], skills: review.terms.skills ?? [] })
    const command = { ...person, type: 'review.decide' as const, verdict, reason: reason === '' ? undefined : reason, atMs }
    refuseUseless(command, review)
    await this.#links.use(link.jti, atMs)
    try {
      return await this.#desk.change(link, command)
    } catch (error) {
      if (USABLE_AGAIN.has(toFault(error).code)) await this.#links.giveBack(link.jti) // L3
      throw error
    }
  }

  async #read(token: string): Promise<Link> {
    return readLink(token, { secret: await this.#links.secret(), nowMs: this.#platform.nowMs() })
  }

  async #review(key: { tenant: string; taskId: string }): Promise<Review> {
    const stored = await this.#reviews.load(key)
    if (stored === undefined) throw new Fault('request.not_found', 'no review has this id', { id: key.taskId })
    return stored.review
  }
}

const USABLE_AGAIN: ReadonlySet<string> = new Set(['input.invalid', 'review.claimed', 'store.unavailable'])

/** A link is not used up by what would be refused (L3). */
const refuseUseless = (command: ReviewCommand, review: Review): void => {
  const [wouldBe] = decide(command, review)
  if (wouldBe?.type === 'review.refused') throw new Fault(wouldBe.fault.code, wouldBe.fault.message, wouldBe.fault.detail)
}

/** What the reviewer sees afterwards. */
const outcomeOf = ({ status, decision, heldUntilMs }: Review): string => {
  if (decision === null) return `It is ${status}.`
  const held = heldUntilMs === null ? '' : ' It can still be taken back for a moment.'
  return `${decision.by} decided: ${decision.verdict}.${held}`
}
