// Records between a client library and the port. Topics lose and get the prefix here's callers' way: names without prefix in the port, with it on the wire.
import type { BusRecord } from '../bus.ts'

const NOTHING = Buffer.alloc(0)

export type HeaderValue = Buffer | string | null | undefined | readonly (Buffer | string)[]

/** A record as a client library gives it. */
export type RawRecord = {
  readonly offset: string | number
  readonly timestamp: string | number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined
}

/** The port's record. A missing key is the empty key, a missing value (a deletion) the empty value. */
export const busRecord = (topic: string, partition: number, raw: RawRecord): BusRecord => ({
  topic,
  partition,
  offset: Number(raw.offset),
  key: raw.key?.toString() ?? '',
  value: raw.value ?? NOTHING,
  headers: headersOf(raw.headers),
  timestampMs: Number(raw.timestamp),
})

const headersOf = (raw: RawRecord['headers']): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const name in raw) headers[name] = headerText(raw[name])
  return headers
}

// Kafka allows a header twice; the last one counts.
const headerText = (value: HeaderValue): string => {
  const last = Array.isArray(value) ? value.at(-1) : value
  return last?.toString() ?? ''
}
