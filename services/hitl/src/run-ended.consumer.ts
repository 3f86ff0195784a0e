// A run that failed or was called off waits for nobody any more: what people were asked for it is withdrawn.
import { Controller, Inject } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { contractOfType, decodeEvent, TOPICS } from '@baton/contracts'
import { HandleTopic, PLATFORM, type Platform } from '@baton/service'
import type { ReviewDesk } from './review-desk.ts'
import { REVIEW_DESK, REVIEWS } from './tokens.ts'
import type { ReviewRepository } from './review.repository.ts'

/** Most reviews that one run can have open. */
const REVIEWS_MAX = 200

@Controller()
export class RunEndedConsumer {
  readonly #platform: Platform
  readonly #desk: ReviewDesk
  readonly #reviews: ReviewRepository

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(REVIEW_DESK) desk: ReviewDesk, @Inject(REVIEWS) reviews: ReviewRepository) {
    this.#platform = platform
    this.#desk = desk
    this.#reviews = reviews
  }

  @HandleTopic(TOPICS.results)
  async take(record: BusRecord): Promise<void> {
    const name = contractOfType(record.headers['ce_type'] ?? '')
    if (name !== 'run.failed' && name !== 'run.cancelled') return // A run that completed was answered, or asked nobody.
    const event = decodeEvent(record)
    if (event.name !== name || !event.data.metrics.escalated) return
    const { tenant, data } = event
    const nowMs = this.#platform.nowMs()
    const open = await this.#reviews.list({ tenant, run: data.runId, status: 'open', nowMs, limit: REVIEWS_MAX })
    // A look at what went on without a person stays: it says something about the next run.
    for (const { taskId } of open.filter(({ terms }) => terms.sample !== true))
      await this.#desk.withdraw({ tenant, taskId }, { by: `run:${data.status}`, atMs: nowMs })
  }
}
