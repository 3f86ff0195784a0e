// One cluster connection and what to do when it fails: drop what is dead, ask who leads now, wait, try again until the time is up.
import { Fault } from '@baton/contracts/fault'
import { setTimeout } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { kafkaError, refusalOf } from './kafka-fault.ts'
import type { AskedFor } from './kafka-fault.ts'

const PAUSE_MS = { first: 20, longest: 1_000 } as const

export class KafkaSession {
  readonly cluster: Cluster
  private closed = false

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  async open(): Promise<void> {
    try {
      await this.cluster.connect()
    } catch (error) {
      throw asFault(error)
    }
  }

  /** Does the work, again after each failure that may pass, until `timeoutMs` is over. Rejects with a `Fault`. */
  async attempt<T>(work: (cluster: Cluster) => Promise<T>, timeoutMs: number, asked: AskedFor = {}): Promise<T> {
    const deadline = performance.now() + timeoutMs
    for (let failures = 1; ; failures++) {
      try {
        return await work(this.cluster)
      } catch (error) {
        if (this.closed || isFinal(error) || performance.now() > deadline) throw asFault(error, asked)
        await this.recover(error, failures)
      }
    }
  }

  /** Leaves the connection in the best state to be had, after a pause that grows with the failures in a row. */
  async recover(error: unknown, failuresInARow: number): Promise<void> {
    const { name, host, port } = kafkaError(error)
    if (name === 'KafkaJSConnectionClosedError' && host !== undefined && port !== undefined) this.cluster.removeBroker({ host, port })
    await setTimeout(Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** Math.min(failuresInARow - 1, 10)))
    if (this.closed) return
    try {
      if (!this.cluster.isConnected()) await this.cluster.connect()
      await this.cluster.refreshMetadata()
    } catch {
      // Still down: whoever asked tries again, or gives up when its time is over.
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.cluster.disconnect()
  }
}

/** True for the error of a fetch outside the log. */
export const isOutOfRange = (error: unknown): boolean => kafkaError(error).type === 'OFFSET_OUT_OF_RANGE'

/** True when a broker does not know the topic. */
export const isUnknownTopic = (error: unknown): boolean => kafkaError(error).type === 'UNKNOWN_TOPIC_OR_PARTITION'

const TOO_LARGE: readonly (string | undefined)[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']

/** A broker that answered with an error it does not call passing, or a mistake of ours. Everything else is a connection that may come back. */
export const isFinal = (error: unknown): boolean => {
  const { type, retriable, name } = kafkaError(error)
  return (
    error instanceof Fault || (type !== undefined && retriable === false) || ['TypeError', 'RangeError', 'ReferenceError'].includes(name)
  )
}

/** Any error of the client as a fault. */
export const asFault = (error: unknown, asked: AskedFor = {}): Fault => {
  if (error instanceof Fault) return error
  const refused = refusalOf(error, asked)
  if (refused !== undefined) return refused
  const { message, type, name } = kafkaError(error)
  if (TOO_LARGE.includes(type)) return new Fault('request.too_large', `Kafka refused a record: ${message}`, {}, { cause: error })
  return new Fault('bus.unavailable', `Kafka: ${message}`, { error: type ?? name }, { cause: error })
}

/** The broker's name for the error, when it is one of a broker. */
export const kafkaErrorType = (error: unknown): string | undefined => kafkaError(error).type
