// Reads the archive of a fresh data directory (ustar, plain files and folders). Only for archives of our own making.

export type TarEntry = { readonly path: string; readonly kind: 'file' | 'folder'; readonly content: Buffer }

const BLOCK = 512

/** Entries in the order of the archive. Throws an Error when the archive is cut or a header's checksum is wrong. */
export const readTar = (archive: Buffer): readonly TarEntry[] => {
  const entries: TarEntry[] = []
  let at = 0
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK)
    if (checksum(header) !== octal(header, 148, 8)) throw new Error(`archive: wrong checksum at ${at}`)
    const sizeBytes = octal(header, 124, 12)
    const end = at + BLOCK + sizeBytes
    if (end > archive.length) throw new Error('archive: cut in the middle of a file')
    const prefix = text(header, 345, 155)
    const name = `${prefix === '' ? '' : `${prefix}/`}${text(header, 0, 100)}`.replace(/^\/+|\/+$/g, '')
    if (name.split('/').includes('..')) throw new Error(`archive: path leaves the folder: ${name}`)
    entries.push({ path: name, kind: header[156] === 0x35 ? 'folder' : 'file', content: archive.subarray(at + BLOCK, end) })
    at = at + BLOCK + Math.ceil(sizeBytes / BLOCK) * BLOCK
  }
  return entries
}

const text = (header: Buffer, from: number, length: number): string =>
  header
    .subarray(from, from + length)
    .toString('utf8')
    .replace(/\0.*$/s, '')
const octal = (header: Buffer, from: number, length: number): number => Number.parseInt(text(header, from, length).trim() || '0', 8)

// Source: POSIX pax, ustar interchange format: the sum of all bytes with the checksum field itself taken as spaces.
const checksum = (header: Buffer): number => header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0)
