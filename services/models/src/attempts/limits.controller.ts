// Breakers and budgets as they stand, over HTTP. The gateway forwards here.
import { Controller, Get, Inject } from '@nestjs/common'
import type { BudgetBook } from '../budget/budget-book.ts'
import type { Conditions } from './conditions.ts'

/** Token of what is shown. */
export const LIMITS_VIEW = Symbol('limits')
type View = { readonly conditions: Conditions; readonly budgets: BudgetBook }

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

  /** Budgets of this and the last periods, of all replicas together. */
  @Get('budgets')
  async budgets(): Promise<object> {
    return { budgets: await this.#view.budgets.list() }
  }
}
