// The bytes of a picture, sound or file that a tool is given as an argument (C11).
//   M1. What is kept by reference is read from the store of its tenant; a data URL holds its own bytes; nothing is fetched from an address.
import { Fault } from '@baton/contracts'
import { resolveMedia } from '@baton/service'
import { z } from 'zod'
import type { ToolContext } from './tool.ts'

const DATA_URL = /^data:([a-z]+\/[\w.+-]+);base64,([A-Za-z0-9+/=]+)$/
const Kept = z.object({ mediaType: z.string(), base64: z.string() })

export type MediaBytes = { readonly mediaType: string; readonly bytes: Buffer }

/** The bytes of an `image`, `audio` or `file`. Throws `payload.missing`, or `tool.arguments_invalid` for what is no reference. */
export const mediaOf = async (
  { ref, mediaType }: { readonly ref: string; readonly mediaType?: string | undefined },
  { tenant, stores }: Pick<ToolContext, 'tenant' | 'stores'>,
): Promise<MediaBytes> => {
  const [, type, base64] = DATA_URL.exec(ref) ?? []
  if (type !== undefined && base64 !== undefined) return { mediaType: mediaType ?? type, bytes: Buffer.from(base64, 'base64') }
  const [kept] = await resolveMedia(stores.payloads, tenant, [{ ref }])
  const found = Kept.safeParse(kept)
  if (!found.success) throw new Fault('tool.arguments_invalid', 'ref is neither of a kept file nor a data URL', { field: 'ref' })
  return { mediaType: mediaType ?? found.data.mediaType, bytes: Buffer.from(found.data.base64, 'base64') }
}
