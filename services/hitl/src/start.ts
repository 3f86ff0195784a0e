import { join } from 'node:path'
import { migrate } from '@baton/store'
import { createWorker, startHost, type StartService } from '@baton/service'
import { closedReviews } from './closed-reviews.ts'
import { migrations } from './migrations.ts'
import { readPeopleFile } from './people/people.config.ts'
import { outboxRelay } from './outbox-relay.ts'
import { overdueClock } from './overdue-clock.ts'
import { reviewDesk } from './review-desk.ts'
import { reviewRequest } from './review-request.consumer.ts'
import { ReviewController } from './review.controller.ts'
import { ReviewSampleConsumer } from './review-sample.consumer.ts'
import { PEOPLE, REVIEW_DESK, REVIEWS } from './tokens.ts'
import { reviewRepository } from './review.repository.ts'
import { ReviewWithdrawConsumer } from './review-withdraw.consumer.ts'
import { RunEndedConsumer } from './run-ended.consumer.ts'

/** Starts the human-in-the-loop service: one task engine for whatever a person has to decide. */
export const start: StartService = async (platform, options) => {
  const { db, bus, nowMs, telemetry, config } = platform
  const people = await readPeopleFile(join(config.configDir, 'people.yaml'))
  await migrate(db, { scope: 'hitl', migrations })
  const logger = telemetry.logger.child({ service: 'hitl' })
  const reviews = reviewRepository(db)
  const relay = outboxRelay({ db, bus, logger })
  const desk = reviewDesk({
    reviews,
    changed: () => relay.kick(),
    observe: ({ type }) => telemetry.metrics.count('baton_reviews_total', { event: type }),
  })
  const clock = overdueClock({ reviews, desk, nowMs, logger })
  const closed = closedReviews({ reviews, keepDays: config.runsKeepDays, nowMs, logger })
  const stop = async (): Promise<void> => {
    await Promise.all([clock.close(), closed.close()])
    await relay.close()
  }
  try {
    return await startHost({
      name: 'hitl',
      platform,
      // The review itself is what is kept: asking for it again finds it there.
      controllers: [
        createWorker({ platform, service: 'hitl', handlers: { 'review.request': reviewRequest(desk, people) }, keepAnswer: () => false }),
        ReviewSampleConsumer,
        ReviewController,
        RunEndedConsumer,
        ReviewWithdrawConsumer,
      ],
      providers: [
        { provide: REVIEW_DESK, useValue: desk },
        { provide: REVIEWS, useValue: reviews },
        { provide: PEOPLE, useValue: people },
      ],
      drain: stop,
      ...options,
    })
  } catch (error) {
    await stop()
    throw error
  }
}
