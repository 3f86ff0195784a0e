import { join } from 'node:path'
import { migrate } from '@baton/store'
import { createWorker, startHost, type StartService } from '@baton/service'
import { LearnedController } from './learning/learned.controller.ts'
import { HURRY_MS, learnedFrom } from './learning/learned.ts'
import { NotesController } from './notes.controller.ts'
import { reviewNotes } from './notes.ts'
import { LinkController } from './reach/link.controller.ts'
import { createLinks } from './reach/links.ts'
import { noticeCourier } from './reach/notice-courier.ts'
import { noticesOf } from './reach/notice.policy.ts'
import { publishes } from './review.messages.ts'
import { closedReviews } from './closed-reviews.ts'
import { migrations } from './migrations.ts'
import { readPeopleFile } from './people/people.config.ts'
import { outboxRelay } from './outbox-relay.ts'
import { overdueClock } from './overdue-clock.ts'
import { nextAtMs } from './review-clock.policy.ts'
import { reviewDesk } from './review-desk.ts'
import { reviewRequest } from './review-request.consumer.ts'
import { ReviewController } from './review.controller.ts'
import { ReviewSampleConsumer } from './review-sample.consumer.ts'
import { LINKS, LEARNED, NOTES, PEOPLE, REVIEW_DESK, REVIEWS } from './tokens.ts'
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
    observe: (event, review) => {
      const { claimedAtMs, createdAtMs } = review
      clock.noticed(nextAtMs(review))
      telemetry.metrics.count('baton_reviews_total', { event: event.type })
      // Faster than anybody reads: a hint, here for alarms, with names in /v1/reviews/learned/hurry.
      if (publishes(event) && event.decision.atMs - (claimedAtMs ?? createdAtMs) < HURRY_MS)
        telemetry.metrics.count('baton_reviews_hurried_total')
    },
    notices: (review, event, atMs) => noticesOf(people.hooks, { review, event, atMs }),
  })
  const clock = overdueClock({ reviews, desk, nowMs, logger })
  const courier = noticeCourier({ db, hooks: people.hooks, nowMs, logger, metrics: telemetry.metrics })
  const closed = closedReviews({ reviews, keepDays: config.runsKeepDays, nowMs, logger })
  const stop = async (): Promise<void> => {
    await Promise.all([clock.close(), closed.close(), courier.close()])
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
        LearnedController,
        LinkController,
        NotesController,
        ReviewController,
        RunEndedConsumer,
        ReviewWithdrawConsumer,
      ],
      providers: [
        { provide: REVIEW_DESK, useValue: desk },
        { provide: REVIEWS, useValue: reviews },
        { provide: PEOPLE, useValue: people },
        { provide: NOTES, useValue: reviewNotes(db) },
        { provide: LINKS, useValue: createLinks(db) },
        { provide: LEARNED, useValue: learnedFrom(db) },
      ],
      drain: stop,
      ...options,
    })
  } catch (error) {
    await stop()
    throw error
  }
}
