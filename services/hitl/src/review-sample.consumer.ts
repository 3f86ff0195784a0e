// What went on without a person and is looked at afterwards, so that it is known how often a machine that is sure is right.
import { Controller, Inject } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { decodeEvent, Fault } from '@baton/contracts'
import { HandleCommand, PLATFORM, type Platform } from '@baton/service'
import type { ReviewDesk } from './review-desk.ts'
import { sampleOf } from './review-request.consumer.ts'
import { REVIEW_DESK } from './tokens.ts'

@Controller()
export class ReviewSampleConsumer {
  readonly #platform: Platform
  readonly #desk: ReviewDesk

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(REVIEW_DESK) desk: ReviewDesk) {
    this.#platform = platform
    this.#desk = desk
  }

  @HandleCommand('review.sample')
  async take(record: BusRecord): Promise<void> {
    const event = decodeEvent(record)
    if (event.name !== 'review.sample') throw new Fault('message.undecodable', `${event.name} is no sample`, { field: 'ce_type' })
    const atMs = this.#platform.nowMs()
    await this.#desk.open({ review: sampleOf(event.data, atMs), resultSchema: null }, atMs)
  }
}
