// A segment: one file of the log.
//   G1. `write` calls back when the bytes would survive a power cut, as far as the disk keeps its word.
//   G2. Space ahead of the end is filled with zeros in the background: a synced write into existing blocks costs half of one that grows the file.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { SEGMENT_HEADER } from './codec.ts'

/** Zeros written ahead, and how close the end may come before more are. */
const AHEAD_BYTES = 1 << 20
const AHEAD_LOW_BYTES = 512 << 10
/** With it one system call writes and syncs; elsewhere they are two. */
const SYNCED_WRITES = process.platform === 'linux' ? fs.constants.O_DSYNC : 0
const FILE_NAME = /^(\d{12})\.log$/

type Callback = (error: NodeJS.ErrnoException | null) => void

/** Numbers of the segments in a directory, ascending. */
export const listSegments = (dir: string): readonly number[] =>
  fs
    .readdirSync(dir)
    .flatMap((name) => FILE_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((left, right) => left - right)

/** Where a segment lies. */
export const segmentPath = (dir: string, id: number): string => join(dir, `${String(id).padStart(12, '0')}.log`)

/** Makes renamed, created and deleted names of a directory durable. */
const syncDirectory = (dir: string): void => {
  if (process.platform === 'win32') return // Windows cannot open a directory; its metadata journal has to do.
  const fd = fs.openSync(dir, 'r')
  fs.fsyncSync(fd)
  fs.closeSync(fd)
}

export class Segment {
  readonly id: number
  readonly path: string
  /** Where the next group goes; everything before it is durable. */
  bytes: number
  private fd: number | undefined
  /** Up to here the file has blocks. */
  private filled: number
  /** Reads and fills under way; the file is closed after the last. */
  private uses = 0
  private filling = false
  private afterFill: (() => void) | undefined
  private closing = false

  private constructor(dir: string, id: number, bytes: number) {
    this.id = id
    this.path = segmentPath(dir, id)
    this.bytes = bytes
    this.filled = bytes
  }

  /** A new segment with its header on disk. */
  static create(dir: string, id: number): Segment {
    const segment = new Segment(dir, id, SEGMENT_HEADER.length)
    const fd = fs.openSync(segment.path, 'w')
    fs.writeSync(fd, SEGMENT_HEADER)
    fs.fsyncSync(fd)
    fs.closeSync(fd)
    syncDirectory(dir)
    return segment
  }

  /** A segment that is there, of which the first `bytes` are good. */
  static existing(dir: string, id: number, bytes: number): Segment {
    return new Segment(dir, id, bytes)
  }

  /** Appends a group (G1). One write at a time. */
  write(group: Buffer, callback: Callback): void {
    if (this.filling && this.bytes + group.length > this.filled) {
      this.afterFill = () => this.write(group, callback) // or the zeros could come down on top of it
      return
    }
    let fd: number
    try {
      fd = this.open()
    } catch (error) {
      const failure = error instanceof Error ? error : Object.assign(new Error(String(error)), error)
      setImmediate(callback, failure)
      return
    }
    const done: Callback = (error) => {
      if (error === null) {
        this.bytes += group.length
        this.filled = Math.max(this.filled, this.bytes)
      }
      callback(error)
      this.fillAhead(fd)
    }
    writeAll(fd, group, this.bytes, SYNCED_WRITES === 0 ? (error) => (error === null ? fs.fdatasync(fd, done) : done(error)) : done)
  }

  /** At most `length` bytes from `position`, none beyond what is durable. */
  async read(position: number, length: number): Promise<Buffer> {
    const fd = this.open()
    const wanted = Math.max(0, Math.min(length, this.bytes - position))
    const buffer = Buffer.allocUnsafe(wanted)
    let read = 0
    this.uses++
    try {
      while (read < wanted) {
        const count = await readSome(fd, { buffer, offset: read, position: position + read })
        if (count === 0) break
        read += count
      }
    } finally {
      this.release()
    }
    return buffer.subarray(0, read)
  }

  /** Forgets what lies behind the first `bytes`. */
  cut(bytes: number): void {
    this.bytes = bytes
    this.truncate()
  }

  /** Gives back the space behind the last good group. */
  truncate(): void {
    if (this.filling) return // The zeros would come back; who reads the file knows them.
    if (fs.statSync(this.path).size !== this.bytes) fs.truncateSync(this.path, this.bytes)
    this.filled = this.bytes
  }

  close(): void {
    this.closing = true
    if (this.fd === undefined || this.uses > 0) return
    fs.closeSync(this.fd)
    this.fd = undefined
  }

  delete(): void {
    this.close()
    fs.unlinkSync(this.path)
  }

  private open(): number {
    this.fd ??= fs.openSync(this.path, fs.constants.O_RDWR | SYNCED_WRITES)
    return this.fd
  }

  private release(): void {
    this.uses--
    if (this.closing) this.close()
  }

  /** G2. A failure shows at the next write, which needs the same space. */
  private fillAhead(fd: number): void {
    if (this.filling || this.closing || this.filled - this.bytes > AHEAD_LOW_BYTES) return
    this.filling = true
    this.uses++
    writeAll(fd, ZEROS, this.filled, (error) => {
      this.filling = false
      if (error === null) this.filled += AHEAD_BYTES
      this.afterFill?.()
      this.afterFill = undefined
      this.release()
    })
  }
}

const ZEROS = Buffer.alloc(AHEAD_BYTES)

const writeAll = (fd: number, bytes: Buffer, position: number, callback: Callback): void => {
  fs.write(fd, bytes, 0, bytes.length, position, (error, written) => {
    if (error !== null || written === bytes.length) callback(error)
    else writeAll(fd, bytes.subarray(written), position + written, callback)
  })
}

const readSome = async (fd: number, { buffer, offset, position }: { buffer: Buffer; offset: number; position: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    fs.read(fd, buffer, offset, buffer.length - offset, position, (error, count) => (error === null ? resolve(count) : reject(error)))
  })
