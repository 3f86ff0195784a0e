// The rules on the files of pictures. Change them here; thresholds of scores are params of the flow.
import type { Header } from './header.ts'

/** Above this nothing is unpacked. */
export const MEGAPIXELS_MAX = 40
const SIDE_MAX = 8_000
const SIDE_MIN = 16
const BYTES_MAX = 5_000_000
const FORBIDDEN = /buy followers|free casino chips|send gift card codes/i

/** What a file breaks, in words; undefined where it breaks nothing. */
export const brokenRule = ({
  mediaType,
  bytes,
  header,
}: {
  readonly mediaType: string
  readonly bytes: Buffer
  readonly header: Header | undefined
}): string | undefined => {
  if (header === undefined) return 'it is no PNG, JPEG, GIF or WebP'
  const { format, width, height, whole, located, texts } = header
  if (format !== mediaType) return `it says ${mediaType} and is ${format}`
  if (!whole) return 'its file ends too early'
  if (bytes.length > BYTES_MAX) return `its file has ${bytes.length} bytes, at most ${BYTES_MAX} are taken`
  if (width > SIDE_MAX || height > SIDE_MAX || width * height > MEGAPIXELS_MAX * 1_000_000) return `it is ${width} × ${height}, too large`
  if (width < SIDE_MIN || height < SIDE_MIN) return `it is ${width} × ${height}, too small`
  if (located) return 'it says where it was taken'
  return texts.some((text) => FORBIDDEN.test(text)) ? 'forbidden words are written into its file' : undefined
}
