// Ids are derived, never drawn, so that a repeat of the same cause has the same id (DESIGN §3, fixed).
import { createHash } from 'node:crypto'

const digest = (parts: readonly string[]): string =>
  createHash('sha256')
    .update(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''))
    .digest('hex')
    .slice(0, 32)

/** Tenant used where a request names none. */
export const DEFAULT_TENANT = 'default'

/** `run_` and 128 bits of SHA-256 over (tenant, source, request id). */
export const runIdOf = (request: { tenant: string; source: string; requestId: string }): string =>
  `run_${digest([request.tenant, request.source, request.requestId])}`

/** Subject of a rejection: there is no run, so the body takes part. `rej_` and 128 bits. */
export const rejectionIdOf = (request: { tenant: string; source: string; requestId: string; body: string }): string =>
  `rej_${digest([request.tenant, request.source, request.requestId, request.body])}`

/** SHA-256 in hex; the name of a payload, a plan or a body. */
export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** One dispatch of one step. `path` is the step's place in the run: `answer`, `loop[3]/answer`. */
export const attemptIdOf = (attempt: { runId: string; path: string; attempt: number }): string =>
  `${attempt.runId}/${attempt.path}/${attempt.attempt}`

/** The run an attempt id belongs to. Run ids contain no slash. */
export const runIdOfAttempt = (attemptId: string): string => attemptId.slice(0, attemptId.indexOf('/'))

/** CloudEvents id of an engine event. */
export const engineEventId = (runId: string, seq: number): string => `${runId}/${seq}`

/** CloudEvents id of a worker event: the n-th of its kind for the attempt. */
export const workerEventId = (event: { attemptId: string; kind: string; n: number }): string =>
  `${event.attemptId}/${event.kind}/${event.n}`

/**
 * Partition of a key, equal to the Java client's default partitioner.
 * Source: org.apache.kafka.common.utils.Utils.murmur2, seed 0x9747b28c, over the UTF-8 bytes.
 */
export const partitionOf = (key: string, partitions: number): number => (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions

const murmur2 = (data: Uint8Array): number => {
  const m = 0x5bd1e995
  const byte = (index: number): number => data[index] ?? 0
  let h = 0x9747b28c ^ data.length
  const tail = data.length & ~3
  for (let i = 0; i < tail; i += 4) {
    let k = byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24)
    k = Math.imul(k, m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  const rest = data.length & 3
  if (rest === 3) h ^= byte(tail + 2) << 16
  if (rest >= 2) h ^= byte(tail + 1) << 8
  if (rest >= 1) h = Math.imul(h ^ byte(tail), m)
  h = Math.imul(h ^ (h >>> 13), m)
  return h ^ (h >>> 15)
}
