// A ustar archive of text files that depends on their paths and contents alone: no owner, no time, a fixed order.
import { Fault } from '@baton/contracts'

const BLOCK = 512
const NAME_BYTES_MAX = 100
const ENTRIES_MAX = 501

/** Packs files in the order of their paths. */
export const writeTar = (files: ReadonlyMap<string, Buffer>): Buffer =>
  Buffer.concat([
    ...[...files]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([path, content]) => [headerOf(path, content.length), content, padding(content.length)]),
    Buffer.alloc(2 * BLOCK),
  ])

/** Reads plain files. Throws `request.malformed` for what is cut, changed, of another kind, or leads out of the folder. */
export const readTar = (archive: Buffer): ReadonlyMap<string, Buffer> => {
  const files = new Map<string, Buffer>()
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const { path, size } = readHeader(archive.subarray(at, at + BLOCK))
    const end = at + BLOCK + size
    if (end > archive.length) throw malformed('it is cut')
    if (files.has(path) || files.size >= ENTRIES_MAX)
      throw malformed(files.has(path) ? `${path} is there twice` : 'it holds too many files')
    files.set(path, archive.subarray(at + BLOCK, end))
    at = end + padding(size).length
  }
  return files
}

const readHeader = (header: Buffer): { path: string; size: number } => {
  const path = textOf(header, 0, NAME_BYTES_MAX)
  const size = Number.parseInt(textOf(header, 124, 12).trim() || '0', 8)
  if (!Number.isSafeInteger(size) || checksum(header) !== Number.parseInt(textOf(header, 148, 8).trim(), 8))
    throw malformed('its checksum is wrong')
  if (header[156] !== FILE && header[156] !== 0) throw malformed(`${path} is not a plain file`)
  if (!isSafePath(path)) throw malformed(`${path} leads out of the folder`)
  return { path, size }
}

/** Whether a path stays inside the folder it is relative to. */
export const isSafePath = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('/') &&
  !path.includes('\\') &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

const FILE = 0x30
const malformed = (reason: string): Fault => new Fault('request.malformed', `the pack cannot be read: ${reason}`)
const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)

const textOf = (header: Buffer, from: number, length: number): string =>
  header
    .subarray(from, from + length)
    .toString('utf8')
    .replace(/\0.*$/s, '')

// Source: POSIX pax, ustar interchange format: the sum of all bytes with the checksum field itself taken as spaces.
const checksum = (header: Buffer): number => header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0)

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`

const headerOf = (path: string, size: number): Buffer => {
  if (Buffer.byteLength(path) > NAME_BYTES_MAX)
    throw new Fault('request.too_large', `the path ${path} has more than ${NAME_BYTES_MAX} bytes`)
  const header = Buffer.alloc(BLOCK)
  header.write(path, 0)
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(size, 12), 124)
  header.write(octal(0, 12), 136)
  header[156] = FILE
  header.write('ustar\x0000', 257)
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
