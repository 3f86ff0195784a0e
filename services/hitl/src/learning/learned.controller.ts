// What was learned, over HTTP.
import { Controller, Get, Headers, Inject, Res } from '@nestjs/common'
import { z } from 'zod'
import { PLATFORM, ValidQuery, type Platform } from '@baton/service'
import type { PeopleSettings } from '../people/people.config.ts'
import { TENANT_HEADER, tenantOf } from '../tenant.ts'
import { LEARNED, PEOPLE } from '../tokens.ts'
import type { Learned, LearnedFilter } from './learned.ts'

const DAY_MS = 86_400_000
const About = z.object({
  flow: z.string().max(200).optional(),
  step: z.string().max(200).optional(),
  days: z.coerce.number().int().min(1).max(3_650).default(90),
})
const ProposeQuery = About.extend({ now: z.coerce.number().min(0).max(1), target: z.coerce.number().min(0).max(1).default(0.95) })
const CasesQuery = About.extend({ after: z.string().max(200).default(''), limit: z.coerce.number().int().min(1).max(1_000).default(500) })

type TextReply = { header(name: string, value: string): TextReply; send(body: string): unknown }

@Controller('v1/reviews/learned')
export class LearnedController {
  readonly #platform: Platform
  readonly #learned: Learned
  readonly #people: PeopleSettings

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(LEARNED) learned: Learned, @Inject(PEOPLE) people: PeopleSettings) {
    this.#platform = platform
    this.#learned = learned
    this.#people = people
  }

  /** How often people overturned, by route and confidence. */
  @Get('rates')
  async rates(@Headers(TENANT_HEADER) tenant: string | undefined, @ValidQuery(About) about: z.infer<typeof About>): Promise<object> {
    return { items: await this.#learned.rates(this.#filter(tenant, about)) }
  }

  /** A threshold that follows from the decisions, and what it would mean. Nothing is applied. */
  @Get('proposal')
  async proposal(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @ValidQuery(ProposeQuery) query: z.infer<typeof ProposeQuery>,
  ): Promise<object> {
    const { now, target, ...about } = query
    return { target, ...(await this.#learned.propose(this.#filter(tenant, about), { now, target })) }
  }

  /** Decisions as cases for evaluation, one JSON a line. */
  @Get('cases')
  async cases(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @ValidQuery(CasesQuery) query: z.infer<typeof CasesQuery>,
    @Res() reply: TextReply,
  ): Promise<unknown> {
    const { after, limit, ...about } = query
    const cases = await this.#learned.cases({ ...this.#filter(tenant, about), after, limit })
    return reply.header('content-type', 'application/x-ndjson').send(cases.map((one) => `${JSON.stringify(one)}\n`).join(''))
  }

  /** People who decide faster than anybody reads. */
  @Get('hurry')
  async hurry(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<object> {
    return { items: await this.#learned.hurries(tenantOf(tenant), this.#people.hurryShare) }
  }

  /** Whether the signatures are whole. */
  @Get('signatures')
  verify(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<object> {
    return this.#learned.verify(tenantOf(tenant))
  }

  #filter(tenant: string | undefined, { flow, step, days }: z.infer<typeof About>): LearnedFilter {
    return { tenant: tenantOf(tenant), flow, node: step, sinceMs: this.#platform.nowMs() - days * DAY_MS }
  }
}
