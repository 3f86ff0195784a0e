// Vectors over HTTP, for the services: the gateway does not forward here, because they may cost money.
//   V1. What is asked for at once has limits; beyond them it is `request.too_large`, and nothing was asked of a model.
import { Controller, HttpCode, Inject, Post } from '@nestjs/common'
import { Fault } from '@baton/contracts/fault'
import { ValidBody } from '@baton/service'
import { z } from 'zod'
import type { FindEmbedder } from './open-embedders.ts'

/** Token of the embedding models. */
export const EMBEDDERS = Symbol('embedders')

const TEXTS_MAX = 128
const TEXT_BYTES_MAX = 512 * 1024

const EmbedBody = z.strictObject({ model: z.string().min(1).max(200).optional(), texts: z.array(z.string()) })

/** Digits of a number; a 32-bit float has no more. */
const DIGITS = 7

@Controller('v1/models')
export class EmbeddingsController {
  readonly #find: FindEmbedder

  constructor(@Inject(EMBEDDERS) find: FindEmbedder) {
    this.#find = find
  }

  /** A vector for each text. Without texts it tells which model would answer and how long its vectors are. */
  @Post('embeddings')
  @HttpCode(200)
  async embed(
    @ValidBody(EmbedBody) { model, texts }: z.infer<typeof EmbedBody>,
  ): Promise<{ model: string; dimensions: number; vectors: readonly (readonly number[])[] }> {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    if (texts.length > TEXTS_MAX || bytes > TEXT_BYTES_MAX)
      throw new Fault('request.too_large', `At most ${TEXTS_MAX} texts of together ${TEXT_BYTES_MAX} bytes are embedded at once.`, {
        texts: texts.length,
        bytes,
      }) // V1
    const embedder = await this.#find(model)
    const vectors = texts.length === 0 ? [] : await embedder.embed(texts)
    return {
      model: embedder.name,
      dimensions: embedder.dimensions,
      vectors: vectors.map((vector) => Array.from(vector, (value) => Number(value.toPrecision(DIGITS)))),
    }
  }
}
