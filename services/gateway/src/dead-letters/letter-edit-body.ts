import { z } from 'zod'
import type { Json } from '@baton/contracts'

const JsonSchema: z.ZodType<Json> = z.json() as z.ZodType<Json> // JSON is what it takes

/** What to send instead. `patch` is a JSON merge patch (RFC 7396) of the body, and so fits many letters; the others are whole bodies. */
export const EditBody = z
  .strictObject({
    headers: z
      .record(z.string().min(1).max(200), z.string().max(8_192).nullable())
      .exactOptional()
      .meta({ description: 'Headers to set; null takes one away' }),
    body: JsonSchema.exactOptional().meta({ description: 'The whole body, as JSON' }),
    text: z.string().exactOptional().meta({ description: 'The whole body, as text' }),
    base64: z.base64().exactOptional().meta({ description: 'The whole body, as bytes' }),
    patch: z.record(z.string(), JsonSchema).exactOptional().meta({ description: 'JSON merge patch of the body (RFC 7396)' }),
  })
  .refine(({ body, text, base64, patch }) => [body, text, base64, patch].filter((one) => one !== undefined).length <= 1, {
    path: ['body'],
    message: 'say one of body, text, base64 and patch',
  })
  .refine((edit) => Object.keys(edit).length > 0, { path: ['headers'], message: 'say what to change' })
export type EditBody = z.infer<typeof EditBody>

/** Whether an edit is a whole body, which can be that of one message only. */
export const isWhole = ({ body, text, base64 }: EditBody): boolean => body !== undefined || text !== undefined || base64 !== undefined
