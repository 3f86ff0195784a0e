// Documents of configuration that services read from the configuration topic.
//   K1. The service that reads a document says whether it will do, before anybody is told of it: a bad one is answered with its mistakes
//       and changes nothing.
//   K2. A document is told as a whole, with its version and hash; the one before is in the log of whoever wrote it, and `version` in the
//       request refuses to write over what the writer has not seen.
import { createHash } from 'node:crypto'
import { Controller, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common'
import { canonicalJson, DEFAULT_TENANT, encodeEvent, Fault, parseJson, TOPICS } from '@baton/contracts'
import { PLATFORM, ValidBody, type Platform } from '@baton/service'
import { z } from 'zod'
import { forward, type HttpReply, type HttpRequest } from '../forward/forward.ts'

/** Which service reads a document. */
const READERS: Readonly<Record<string, string>> = { models: 'models' }
const CHARS_MAX = 2_000_000

/** A document as text, YAML or JSON; null goes back to the file of the installation. */
export const ConfigBody = z.looseObject({
  text: z.string().min(1).max(CHARS_MAX).nullable(),
  version: z.number().int().nonnegative().optional().meta({ description: 'The version that this one follows; refused when it is another' }),
  by: z.string().min(1).max(200).optional(),
})
type ConfigBody = z.infer<typeof ConfigBody>

const Checked = z.looseObject({ content: z.json(), version: z.number().int().nonnegative() })
const State = z.looseObject({ version: z.number().int().nonnegative() })

export type ConfigWritten = { readonly document: string; readonly version: number; readonly hash?: string }

const readerOf = (document: string): string => {
  const service = Object.hasOwn(READERS, document) ? READERS[document] : undefined
  if (service !== undefined) return service
  throw new Fault('request.not_found', `there is no document ${document}; there are ${Object.keys(READERS).join(', ')}`, { document })
}

@Controller('v1')
export class ConfigController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @Get('config/:document')
  show(@Param('document') document: string, @Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return forward(this.#platform.call, { service: readerOf(document), request, reply })
  }

  /** Why which model would be asked now. */
  @Post('routes::explain')
  explain(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return forward(this.#platform.call, { service: 'models', request, reply })
  }

  @Put('config/:document')
  async write(@Param('document') document: string, @ValidBody(ConfigBody) body: ConfigBody): Promise<ConfigWritten> {
    const service = readerOf(document)
    const { text, by = 'http' } = body
    const path = `/v1/config/${document}`
    if (text === null) {
      const { version } = State.parse(await this.#ask({ service, method: 'GET', path }))
      this.#requireSeen(body, version)
      await this.#tell(document, { value: Buffer.alloc(0), headers: {} })
      return { document, version: 0 }
    }
    const { content, version } = Checked.parse(
      await this.#ask({ service, method: 'POST', path: `${path}:check`, body: JSON.stringify({ text }) }), // K1
    )
    this.#requireSeen(body, version)
    const hash = createHash('sha256').update(canonicalJson(content)).digest('hex')
    const data = { document, version: version + 1, hash, by, atMs: this.#platform.nowMs(), content }
    const event = { name: 'config.changed' as const, id: `config/${document}/${data.version}/${hash}`, source: 'gateway', data }
    await this.#tell(document, encodeEvent({ ...event, subject: `config/${document}`, tenant: DEFAULT_TENANT }))
    return { document, version: data.version, hash }
  }

  /** K2. */
  #requireSeen({ version: seen }: ConfigBody, version: number): void {
    if (seen === undefined || seen === version) return
    throw new Fault('request.conflicting', `version ${version} counts, not ${seen}`, { field: 'version' })
  }

  async #tell(document: string, record: { readonly value: Buffer; readonly headers: Readonly<Record<string, string>> }): Promise<void> {
    await this.#platform.bus.publish([{ ...record, topic: TOPICS.config, key: `config/${document}` }])
  }

  async #ask(request: { service: string; method: 'GET' | 'POST'; path: string; body?: string }): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    const { status, body } = await this.#platform.call({ ...request, headers })
    const read = parseJson(Buffer.from(body))
    if (status < 400) return read
    const problem = z.looseObject({ code: z.string(), detail: z.string() }).safeParse(read)
    const code = problem.data?.code === 'config.invalid' ? 'config.invalid' : 'handler.failed'
    throw new Fault(code, problem.data?.detail ?? `the ${request.service} service answered ${status}`, { status })
  }
}
