// Dead letters of every service: looked at and sent back to where they failed (R8, F4).
//   G9. A message of a run that has ended is not redriven: it would change nothing, and could do an effect nobody waits for.
import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { listDeadLetters, redriveDeadLetters, showDeadLetter, type DeadLetter } from '@baton/bus'
import { deadLetterTopic, Fault, isJsonObject, SERVICES, WORKER_SERVICES, type ServiceName } from '@baton/contracts'
import { PLATFORM, ValidBody, ValidQuery, type Platform } from '@baton/service'
import {
  cursorText,
  itemOf,
  parseCursor,
  serviceOf,
  viewOf,
  type Cursor,
  type DeadLetterItem,
  type DeadLetterView,
} from './dead-letter.view.ts'

const PAGE_MAX = 200
const REDRIVE_MAX = 10_000
/** Dead-letter topics have one partition. */
const PARTITION = 0

/** Which dead letters to send back: those at the offsets named, or all that are open. */
export const RedriveBody = z
  .looseObject({
    service: z.enum(SERVICES),
    offsets: z.array(z.int().nonnegative()).max(REDRIVE_MAX).optional(),
    all: z.boolean().optional().meta({ description: 'Every open letter of the service' }),
    dryRun: z.boolean().optional().meta({ description: 'Only say what would be sent' }),
    ratePerSecond: z.number().positive().max(10_000).optional(),
  })
  .refine(({ offsets, all }) => (all === true) !== (offsets?.length ?? 0) > 0, {
    path: ['offsets'],
    message: 'name offsets, or say all, not both',
  })
type RedriveBody = z.infer<typeof RedriveBody>

const ListQuery = z.looseObject({
  service: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  cursor: z.string().max(64).optional(),
})
type ListQuery = z.infer<typeof ListQuery>

type Page = { readonly items: readonly DeadLetterItem[]; readonly nextCursor: string | null }
type Redriven = {
  readonly redriveId: string
  readonly dryRun: boolean
  readonly matched: number
  readonly redriven: number
  readonly refused: readonly { readonly offset: number; readonly reason: string }[]
  readonly offsets: readonly number[]
}

const ENDED: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled'])
const COMMANDED: ReadonlySet<string> = new Set(WORKER_SERVICES)

/** The run a command is about: its subject, and the beginning of its key. */
const runIdOf = ({ key, headers }: DeadLetter): string => headers['ce_subject'] ?? key

@Controller('v1')
export class DeadLetterController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  /** Open letters, oldest first, service by service. */
  @Get('dead-letters')
  async list(@ValidQuery(ListQuery) { service, limit, cursor }: ListQuery): Promise<Page> {
    const from: Cursor = cursor === undefined ? { service: service === undefined ? SERVICES[0] : serviceOf(service) } : parseCursor(cursor)
    const services = service === undefined ? SERVICES.slice(SERVICES.indexOf(from.service)) : [from.service]
    const items: DeadLetterItem[] = []
    for (const [index, name] of services.entries()) {
      if (items.length >= limit) return { items, nextCursor: cursorText({ service: name }) }
      const after = index === 0 ? from.after : undefined
      const page = await listDeadLetters(this.#platform.bus, {
        topic: deadLetterTopic(name),
        limit: limit - items.length,
        ...(after === undefined ? {} : { after }),
      })
      items.push(...page.letters.map((letter) => itemOf(name, letter)))
      if (page.next !== undefined) return { items, nextCursor: cursorText({ service: name, after: page.next }) }
    }
    return { items, nextCursor: null }
  }

  @Get('dead-letters/:service/:offset')
  async show(@Param('service') name: string, @Param('offset') offset: string): Promise<DeadLetterView> {
    const service = serviceOf(name)
    if (!/^\d{1,15}$/.test(offset)) throw new Fault('request.malformed', 'offset must be a number', { field: 'offset' })
    return viewOf(
      service,
      await showDeadLetter(this.#platform.bus, { topic: deadLetterTopic(service), partition: PARTITION, offset: Number(offset) }),
    )
  }

  /** `POST /v1/dead-letters:redrive`. */
  @Post('dead-letters:action')
  @HttpCode(200)
  async redrive(@Param('action') action: string, @ValidBody(RedriveBody) body: RedriveBody): Promise<Redriven> {
    if (action !== ':redrive') throw new Fault('request.not_found', `dead letters have no action ${action}`, { field: 'action' })
    const { service, offsets, dryRun = false, ratePerSecond } = body
    const refused: { offset: number; reason: string }[] = []
    const { redriveId, letters } = await redriveDeadLetters(this.#platform.bus, {
      topic: deadLetterTopic(service),
      dryRun,
      limit: REDRIVE_MAX,
      where: async (letter) => {
        const wanted = offsets === undefined ? !letter.redriven : offsets.includes(letter.offset)
        if (!wanted || !(await this.#runEnded(service, letter))) return wanted
        refused.push({ offset: letter.offset, reason: `run ${runIdOf(letter)} has ended: ask for it again under a new request id` }) // G9
        return false
      },
      ...(offsets === undefined ? {} : { only: offsets.map((offset) => ({ partition: PARTITION, offset })) }),
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    })
    this.#platform.telemetry.logger.info(
      { service, redriveId, dryRun, letters: letters.length, refused: refused.length },
      'dead letters redriven',
    )
    return {
      redriveId,
      dryRun,
      matched: letters.length,
      redriven: dryRun ? 0 : letters.length,
      refused,
      offsets: letters.map(({ offset }) => offset),
    }
  }

  /** Commands belong to a run; of a run that tracing does not know nothing is said. */
  async #runEnded(service: ServiceName, letter: DeadLetter): Promise<boolean> {
    if (!COMMANDED.has(service)) return false
    const reply = await this.#platform.call({ service: 'tracing', method: 'GET', path: `/v1/runs/${encodeURIComponent(runIdOf(letter))}` })
    if (reply.status !== 200) return false
    const run: unknown = JSON.parse(reply.body)
    return isJsonObject(run) && ENDED.has(run['status'])
  }
}
