// The engine waits no longer for an attempt: its task leaves the queue, decided by nobody.
//   V1. A repeat changes nothing, and neither does a withdrawal of a task that is closed already.
//   V2. A withdrawal that comes before its request is remembered by the task that the request would open: nobody is asked for it then.
import { Controller, Inject } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { decodeEvent, Fault } from '@baton/contracts'
import { HandleCommand, PLATFORM, type Platform } from '@baton/service'
import type { ReviewDesk } from './review-desk.ts'
import { taskIdOf } from './review-request.consumer.ts'
import { REVIEW_DESK } from './tokens.ts'

/** Who withdraws when the engine does. */
const BY_ENGINE = 'engine'

@Controller()
export class ReviewWithdrawConsumer {
  readonly #platform: Platform
  readonly #desk: ReviewDesk

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(REVIEW_DESK) desk: ReviewDesk) {
    this.#platform = platform
    this.#desk = desk
  }

  @HandleCommand('review.withdraw')
  async take(record: BusRecord): Promise<void> {
    const event = decodeEvent(record)
    if (event.name !== 'review.withdraw') throw new Fault('message.undecodable', `${event.name} withdraws nothing`, { field: 'ce_type' })
    const { tenant, attemptId } = event.data
    await this.#desk.withdraw({ tenant, taskId: taskIdOf(attemptId) }, { by: BY_ENGINE, atMs: this.#platform.nowMs() })
  }
}
