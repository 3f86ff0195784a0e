// What runs answered, as turns of their sessions.
//   S1. Only a run whose question is kept has a session: the result itself does not name one. All lookups of a moment are one statement.
//   S2. A result that comes twice changes nothing; so does one of a run that failed.
import { Controller, Inject } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { contractOfType, decodeEvent, parseJson, TOPICS, type Json, type MessageOf } from '@baton/contracts'
import { HandleTopic, PLATFORM, turnTextOf, type Platform } from '@baton/service'

@Controller()
export class SessionTurnsConsumer {
  readonly #platform: Pick<Platform, 'stores'>

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @HandleTopic(TOPICS.results)
  async take(record: BusRecord): Promise<void> {
    if (contractOfType(record.headers['ce_type'] ?? '') !== 'run.completed') return // S2
    const event = decodeEvent(record)
    if (event.name !== 'run.completed') return
    const { tenant, data } = event
    const { sessions } = this.#platform.stores
    const { runId } = data
    if ((await sessions.sessionOf({ tenant, runId })) === undefined) return // S1
    const text = turnTextOf(await this.#outputOf(tenant, data))
    if (text !== '') await sessions.answered({ tenant, runId, text, atMs: Date.parse(event.time) })
  }

  async #outputOf(tenant: string, { output, outputRef }: MessageOf<'run.completed'>): Promise<Json | undefined> {
    if (outputRef === undefined) return output
    const { content } = await this.#platform.stores.payloads.get({ tenant, sha256: outputRef.sha256 })
    return parseJson(content) as Json // An output is JSON.
  }
}
