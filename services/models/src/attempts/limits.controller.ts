// Breakers and budgets as they stand, over HTTP, and what a person may say of them. The gateway forwards here.
import { Controller, Get, Inject, Post } from '@nestjs/common'
import { Fault } from '@baton/contracts/fault'
import { ValidBody } from '@baton/service'
import { z } from 'zod'
import type { BudgetBook } from '../budget/budget-book.ts'
import type { AnswerCache } from '../cache/answer-cache.ts'
import type { Conditions } from './conditions.ts'
import type { Cooldowns } from './cooldowns.ts'

/** Token of what is shown. */
export const LIMITS_VIEW = Symbol('limits')
type View = {
  readonly conditions: Pick<Conditions, 'list'>
  readonly cooldowns: Pick<Cooldowns, 'end'>
  readonly budgets: Pick<BudgetBook, 'list' | 'forgive'>
  readonly cache: Pick<AnswerCache, 'savings'>
}

const Name = z.string().min(1).max(400)
const RetryBody = z.strictObject({ name: Name.optional() })
const ForgiveBody = z.strictObject({ key: Name, by: z.string().min(1).max(200).default('api') })

@Controller('v1/models')
export class LimitsController {
  readonly #view: View

  constructor(@Inject(LIMITS_VIEW) view: View) {
    this.#view = view
  }

  /** Breakers of this replica: what it has seen and what others told it. */
  @Get('breakers')
  breakers(): object {
    return { breakers: this.#view.conditions.list() }
  }

  /** Tries a model or server again before its rest is over, on every replica; without a name all that rest. */
  @Post('breakers::retry')
  async retry(@ValidBody(RetryBody) { name }: z.infer<typeof RetryBody>): Promise<object> {
    const { conditions, cooldowns } = this.#view
    const known = conditions.list()
    if (name !== undefined && !known.some((one) => one.name === name))
      throw new Fault('request.not_found', `Nothing was asked of ${name} by this replica.`, { name })
    const retried = known.filter((one) => (name === undefined ? one.state !== 'closed' : one.name === name)).map((one) => one.name)
    await cooldowns.end(retried)
    return { retried }
  }

  /** What the cache of answers has spared this replica since it was started. */
  @Get('cache')
  cached(): object {
    return this.#view.cache.savings()
  }

  /** Budgets of this and the last periods, of all replicas together. */
  @Get('budgets')
  async budgets(): Promise<object> {
    return { budgets: await this.#view.budgets.list() }
  }

  /** What was spent of a budget in this period counts no more. Who did it is in the log. */
  @Post('budgets::forgive')
  async forgive(@ValidBody(ForgiveBody) { key, by }: z.infer<typeof ForgiveBody>): Promise<object> {
    const forgiven = await this.#view.budgets.forgive(key, by)
    if (forgiven === undefined) throw new Fault('request.not_found', `There is no budget ${key} in this period.`, { key })
    return { key, forgivenMicroUsd: forgiven }
  }
}
