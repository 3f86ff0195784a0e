import { createWorker, startHost, type StartService } from '@baton/service'
import { checkEvaluate } from './check-evaluate.consumer.ts'
import type { Check } from './checks/check.ts'
import { relevance } from './checks/relevance.check.ts'
import { contains, forbidden, length } from './checks/text.check.ts'

/** The checks that every installation has. */
const CHECKS: readonly Check[] = [relevance, length, contains, forbidden]

/** Starts the validation service. */
export const start: StartService = async (platform, options) =>
  startHost({
    name: 'validation',
    platform,
    // A check costs nothing and has no effect: it may simply be done again.
    controllers: [
      createWorker({ platform, service: 'validation', handlers: { 'check.evaluate': checkEvaluate(CHECKS) }, keepAnswer: () => false }),
    ],
    ...options,
  })
