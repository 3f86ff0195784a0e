// What the file of a picture says of itself, read from its bytes alone: nothing is unpacked, so nothing can be too large.
import { inflateSync } from 'node:zlib'
import { exifOf } from './exif.ts'

export type Format = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'
export type Header = {
  readonly format: Format
  readonly width: number
  readonly height: number
  /** Whether the file goes on to its end. */
  readonly whole: boolean
  /** Whether it says where it was taken. */
  readonly located: boolean
  /** Titles, descriptions and comments in it. */
  readonly texts: readonly string[]
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const TEXTS_MAX = 20
const TEXT_CHARS_MAX = 2_000
const INFLATED_BYTES_MAX = 100_000

/** `keyword, 0, text`; of zTXt a byte for the method and deflated text, of iTXt flags and two more words before it. */
const pngText = (type: string, body: Buffer): string | undefined => {
  const end = body.indexOf(0)
  if (end < 0) return undefined
  const rest = body.subarray(end + 1)
  try {
    if (type === 'tEXt') return rest.toString('latin1')
    if (type === 'zTXt') return inflateSync(rest.subarray(1), { maxOutputLength: INFLATED_BYTES_MAX }).toString('latin1')
    const language = rest.indexOf(0, 2)
    const text = rest.subarray(rest.indexOf(0, language + 1) + 1)
    return (rest[0] === 1 ? inflateSync(text, { maxOutputLength: INFLATED_BYTES_MAX }) : text).toString('utf8')
  } catch {
    return undefined // What cannot be unpacked says nothing; the picture itself may be fine.
  }
}

const pngOf = (bytes: Buffer): Header | undefined => {
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined
  const texts: string[] = []
  let located = false
  let whole = false
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const body = bytes.subarray(at + 8, at + 8 + length)
    if (body.length < length) break
    if (['tEXt', 'zTXt', 'iTXt'].includes(type)) texts.push(pngText(type, body) ?? '')
    if (type === 'eXIf') {
      const exif = exifOf(body)
      texts.push(...exif.texts)
      located ||= exif.located
    }
    if (type === 'IEND') whole = true
    at += 12 + length
  }
  return { format: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), whole, located, texts }
}

/** Markers with a frame: SOF0 to SOF15 but the three that are something else. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

const jpegOf = (bytes: Buffer): Header | undefined => {
  const texts: string[] = []
  let located = false
  let size: { readonly width: number; readonly height: number } | undefined
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xda) break // the picture itself begins
    const length = bytes.readUInt16BE(at + 2)
    const body = bytes.subarray(at + 4, at + 2 + length)
    if (isFrame(marker) && body.length >= 5) size = { height: body.readUInt16BE(1), width: body.readUInt16BE(3) }
    if (marker === 0xfe) texts.push(body.toString('utf8'))
    if (marker === 0xe1 && body.toString('latin1', 0, 6) === 'Exif\0\0') {
      const exif = exifOf(body.subarray(6))
      texts.push(...exif.texts)
      located ||= exif.located
    }
    at += 2 + length
  }
  const whole = bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) > bytes.length - 64
  return size === undefined ? undefined : { format: 'image/jpeg', ...size, whole, located, texts }
}

const gifOf = (bytes: Buffer): Header | undefined =>
  bytes.length < 14
    ? undefined
    : {
        format: 'image/gif',
        width: bytes.readUInt16LE(6),
        height: bytes.readUInt16LE(8),
        whole: bytes.at(-1) === 0x3b,
        located: false,
        texts: [],
      }

const webpSize = (bytes: Buffer): { readonly width: number; readonly height: number } | undefined => {
  const kind = bytes.toString('latin1', 12, 16)
  if (kind === 'VP8X') return { width: 1 + bytes.readUIntLE(24, 3), height: 1 + bytes.readUIntLE(27, 3) }
  if (kind === 'VP8 ') return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
  if (kind !== 'VP8L') return undefined
  const bits = bytes.readUInt32LE(21)
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) }
}

const webpOf = (bytes: Buffer): Header | undefined => {
  const size = bytes.length < 30 ? undefined : webpSize(bytes)
  return size === undefined
    ? undefined
    : { format: 'image/webp', ...size, whole: bytes.length >= bytes.readUInt32LE(4) + 8, located: false, texts: [] }
}

const read = (bytes: Buffer): Header | undefined => {
  if (bytes.subarray(0, 8).equals(PNG)) return pngOf(bytes)
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegOf(bytes)
  const start = bytes.toString('latin1', 0, 12)
  if (/^GIF8[79]a/.test(start)) return gifOf(bytes)
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? webpOf(bytes) : undefined
}

/** Reads it; undefined for what is no picture of a kind that can be shown. */
export const headerOf = (bytes: Buffer): Header | undefined => {
  const header = read(bytes)
  if (header === undefined) return undefined
  const texts = header.texts.map((text) => text.replaceAll('\0', '').trim().slice(0, TEXT_CHARS_MAX)).filter((text) => text !== '')
  return { ...header, texts: texts.slice(0, TEXTS_MAX) }
}
