import { createWorker, startHost, type StartService } from '@baton/service'
import { checkEvaluate, type OnFailed } from './check-evaluate.consumer.ts'
import type { Check } from './checks/check.ts'
import { answers } from './checks/answers.check.ts'
import { confidenceCheck } from './checks/confidence.check.ts'
import { grounded } from './checks/grounded.check.ts'
import { judged } from './checks/judged.check.ts'
import { noveltyCheck } from './checks/novelty.check.ts'
import { relevance } from './checks/relevance.check.ts'
import { rules } from './checks/rules.check.ts'
import { contains, forbidden, length } from './checks/text.check.ts'
import { GUARDS } from './guards/guards.ts'

/** The checks that every installation has. */
const checksOf = (flowsDir: string): readonly Check[] => [
  relevance,
  answers,
  grounded,
  noveltyCheck(flowsDir),
  rules,
  judged,
  confidenceCheck(flowsDir),
  length,
  contains,
  forbidden,
  ...GUARDS,
]

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
        handlers: { 'check.evaluate': checkEvaluate(checksOf(platform.config.flowsDir), onFailed) },
        keepAnswer: () => false,
      }),
    ],
    ...options,
  })
}
