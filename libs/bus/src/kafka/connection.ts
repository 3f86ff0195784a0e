// How this process reaches the brokers; the same for every kind of client.
import { connect as connectPlain, isIP } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import kafkajs from 'kafkajs'
import type { ISocketFactory, Kafka, logCreator, SASLOptions } from 'kafkajs'
import { patchIdleTimer } from './idle-timer.patch.ts'
import { createCluster } from './kafkajs-internals.ts'
import type { KafkaJsCluster } from './kafkajs-internals.ts'

const CONNECT_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 30_000
const RETRY = { initialRetryTime: 50, maxRetryTime: 1_000, retries: 5 } as const

export type KafkaConnection = {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly sasl?: SASLOptions
  readonly ssl?: ConnectionOptions | boolean
  /** What the client library complains about: lost connections, rebalances. Failures that matter come as faults as well. */
  readonly onWarning?: (message: string, detail: Readonly<Record<string, string | number | boolean>>) => void
}

const clientOptions = ({ brokers, clientId, sasl, ssl, onWarning }: KafkaConnection) => ({
  brokers: [...brokers],
  clientId,
  connectionTimeout: CONNECT_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  retry: RETRY,
  socketFactory,
  logLevel: onWarning === undefined ? kafkajs.logLevel.NOTHING : kafkajs.logLevel.WARN,
  logCreator: warningsTo(onWarning),
  ...(sasl === undefined ? {} : { sasl }),
  ...(ssl === undefined ? {} : { ssl }),
})

/** The public client: group consumers and topic administration. */
export const kafkaClient = (connection: KafkaConnection): Kafka => {
  patchIdleTimer()
  return new kafkajs.Kafka(clientOptions(connection))
}

/** A cluster for reading without a group and for producing; connects on its own sockets. */
export const kafkaCluster = (connection: KafkaConnection): KafkaJsCluster => {
  patchIdleTimer()
  return createCluster(clientOptions(connection))
}

// Small requests must not wait for an acknowledgement of the one before: kafkajs leaves Nagle's algorithm on.
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // `ssl` is null when none is configured, whatever its type says.
  const secure: ConnectionOptions | null = ssl
  const socket = secure
    ? connectSecure({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...secure }, onConnect)
    : connectPlain({ host, port }, onConnect)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}

const warningsTo =
  (onWarning: KafkaConnection['onWarning']): logCreator =>
  () =>
  ({ namespace, log }) => {
    const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...rest } = log
    const facts = Object.entries(rest).filter((entry): entry is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    )
    onWarning?.(`kafka: ${namespace}: ${message}`, Object.fromEntries(facts))
  }
