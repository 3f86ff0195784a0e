// The catalogue over HTTP: what there is, why which model, and whether a document would do. The gateway forwards here.
import { Controller, Get, Inject, Post } from '@nestjs/common'
import { Fault } from '@baton/contracts/fault'
import { UNSEEN, type LiveFacts } from '@baton/policy/routing'
import { ValidBody } from '@baton/service'
import { z } from 'zod'
import { needOf } from '../routes/plan-request.ts'
import type { LiveCatalogue } from './live-catalogue.ts'

/** Token of the catalogue. */
export const CATALOGUE = Symbol('catalogue')
/** Token of what the attempts have seen of models, where they tell. */
export const LIVE_FACTS = Symbol('live-facts')
export type LiveFactsOf = () => Partial<Pick<LiveFacts, 'conditionOf' | 'frugal'>>

const CHARS_MAX = 2_000_000
const CheckBody = z.strictObject({ text: z.string().min(1).max(CHARS_MAX) })

const ExplainBody = z.strictObject({
  models: z.array(z.string().min(1).max(200)).min(1).max(20),
  text: z.string().max(200_000).default(''),
  tools: z.boolean().default(false),
  vision: z.boolean().default(false),
  audio: z.boolean().default(false),
  inputTokens: z.number().int().nonnegative().optional(),
  outputTokens: z.number().int().positive().optional(),
  leftMs: z.number().int().positive().default(30_000),
  budgetLeftMicroUsd: z.number().int().nonnegative().optional(),
  flow: z.string().max(200).default(''),
  step: z.string().max(200).default(''),
  tenant: z.string().max(63).default('default'),
  session: z.string().max(200).optional(),
  user: z.string().max(200).optional(),
  runId: z.string().max(200).default(''),
})
type ExplainBody = z.infer<typeof ExplainBody>

/** A choice as it is told. */
export type ExplainedRoute = {
  readonly route: string
  readonly policy: string
  readonly steps: readonly { readonly model: string; readonly role: string; readonly stage: number }[]
  readonly candidates: readonly object[]
  /** Queue of the people who are asked when no answer of a cascade counts. */
  readonly person?: string
  readonly fault?: { readonly code: string; readonly message: string }
}

@Controller('v1')
export class CatalogueController {
  readonly #catalogue: LiveCatalogue
  readonly #liveFacts: LiveFactsOf

  constructor(@Inject(CATALOGUE) catalogue: LiveCatalogue, @Inject(LIVE_FACTS) liveFacts: LiveFactsOf) {
    this.#catalogue = catalogue
    this.#liveFacts = liveFacts
  }

  @Get('config/models')
  list(): object {
    const { conditionOf = () => UNSEEN } = this.#liveFacts()
    return { ...this.#catalogue.state(), models: this.#catalogue.list().map((item) => ({ ...item, condition: conditionOf(item.name) })) }
  }

  /** Whether a text may become the document; `config.invalid` with the lines where it may not. */
  @Post('config/models::check')
  async check(@ValidBody(CheckBody) { text }: z.infer<typeof CheckBody>): Promise<object> {
    const checked = await this.#catalogue.check(text)
    return { ...checked, version: this.#catalogue.state().version }
  }

  /** Why which model, for a question of this kind at this moment; nothing is asked. */
  @Post('routes::explain')
  explain(@ValidBody(ExplainBody) body: ExplainBody): ExplainedRoute {
    const { models, text, tools, vision, audio, inputTokens, outputTokens, leftMs, budgetLeftMicroUsd, ...about } = body
    const need = needOf({ prompt: text, input: null })
    const wanted = { ...need, tools, vision, audio, inputTokens: inputTokens ?? need.inputTokens }
    const { session, user, ...placed } = about
    const live: LiveFacts = {
      nowMs: Date.now(),
      leftMs,
      random: Math.random,
      conditionOf: () => UNSEEN,
      ...this.#liveFacts(),
      ...(budgetLeftMicroUsd === undefined ? {} : { budgetLeftMicroUsd }),
    }
    try {
      const plan = this.#catalogue.plan(
        {
          names: models,
          text,
          need: { ...wanted, ...(outputTokens === undefined ? {} : { outputTokens }) },
          about: { ...placed, ...(session === undefined ? {} : { session }), ...(user === undefined ? {} : { user }) },
        },
        live,
      )
      const person = plan.steps.find((step) => step.person !== undefined)?.person
      return {
        ...plan,
        steps: plan.steps.map(({ model, role, stage }) => ({ model: model.name, role, stage })),
        ...(person === undefined ? {} : { person: person.queue }),
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return { route: models.join(', '), policy: 'none', steps: [], candidates: [], fault: { code: error.code, message: error.message } }
    }
  }
}
