// Pictures, sound and files of requests (C11): kept once, then named by reference, so that requests, events and logs stay small.
import { Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common'
import { Fault } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import { z } from 'zod'

/** What is left of the largest HTTP body after base64. */
const FILE_BYTES_MAX = 5 * 1024 * 1024

export const PayloadBody = z.strictObject({
  mediaType: z.string().regex(/^[a-z]+\/[\w.+-]{1,100}$/, 'like image/png'),
  base64: z.base64().min(4),
})
export type PayloadBody = z.infer<typeof PayloadBody>

/** What a flow takes as `image`, `audio` or `file`. */
type MediaReference = { readonly ref: string; readonly mediaType: string; readonly bytes: number }

@Controller('v1/payloads')
export class PayloadController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  /** Keeps a file for the runs of its tenant; the same file is kept once. */
  @Post()
  @HttpCode(201)
  async keep(
    @ValidBody(PayloadBody) { mediaType, base64 }: PayloadBody,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
  ): Promise<MediaReference> {
    const content = Buffer.from(base64, 'base64')
    if (content.length > FILE_BYTES_MAX)
      throw new Fault('request.too_large', `the file has ${content.length} bytes, at most ${FILE_BYTES_MAX} are taken`, {
        field: 'base64',
        bytes: content.length,
        bytesMax: FILE_BYTES_MAX,
      })
    const kept = await this.#platform.stores.payloads.put({ tenant: tenantOf(headers[TENANT_HEADER]), content, mediaType })
    return { ref: kept.sha256, mediaType, bytes: content.length }
  }
}
