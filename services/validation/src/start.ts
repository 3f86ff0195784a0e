import { createWorker, startHost, type StartService } from '@baton/service'
import { checkEvaluate, type OnFailed } from './check-evaluate.consumer.ts'
import type { Check } from './checks/check.ts'
import { relevance } from './checks/relevance.check.ts'
import { contains, forbidden, length } from './checks/text.check.ts'
import { GUARDS } from './guards/guards.ts'

/** The checks that every installation has. */
const CHECKS: readonly Check[] = [relevance, length, contains, forbidden, ...GUARDS]

/** Starts the validation service. */
export const start: StartService = async (platform, options) => {
  const logger = platform.telemetry.logger.child({ service: 'validation' })
  const onFailed: OnFailed = ({ pass, ...failed }) =>
    pass
      ? logger.warn(failed, 'a check could not run and let its input pass')
      : logger.error(failed, 'a check could not run and stopped its input')
  return startHost({
    name: 'validation',
    platform,
    // A check costs nothing and has no effect: it may simply be done again.
    controllers: [
      createWorker({
        platform,
        service: 'validation',
        handlers: { 'check.evaluate': checkEvaluate(CHECKS, onFailed) },
        keepAnswer: () => false,
      }),
    ],
    ...options,
  })
}
