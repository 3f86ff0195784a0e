// The id the cluster gave a topic when it was made. kafkajs stops at Metadata v6, which has no ids, so version 10 (Kafka 2.8) is written
// here by hand: https://kafka.apache.org/protocol#The_Messages_Metadata
import { Fault } from '@baton/contracts/fault'
import { requestBody } from './kafkajs-internals.ts'
import type { Broker, KafkaJsCluster, RawRequest } from './kafkajs-internals.ts'

const METADATA_API = 3
const METADATA_VERSION = 10
const ID_BYTES = 16

/** Asks a broker; rejects with `config.invalid` when it is older than Kafka 2.8. */
export const fetchTopicId = async (cluster: KafkaJsCluster, topic: string): Promise<string> => {
  const [nodeId] = cluster.getNodeIds()
  if (nodeId === undefined) throw new Fault('bus.unavailable', 'Kafka: no broker is known')
  const broker = await cluster.findBroker({ nodeId })
  if (!understands(broker)) throw new Fault('config.invalid', 'Kafka 2.8 or newer is needed: the broker does not tell topic ids', { topic })
  return broker.connectionPool.send(topicIdRequest(topic))
}

const understands = ({ versions }: Broker): boolean => (versions?.[METADATA_API]?.maxVersion ?? 0) >= METADATA_VERSION

const topicIdRequest = (topic: string): RawRequest<string> => ({
  request: { apiKey: METADATA_API, apiVersion: METADATA_VERSION, apiName: 'Metadata', encode: async () => requestBody(encode(topic)) },
  response: {
    decode: async (raw) => ({ raw }),
    parse: async (decoded) => parse('raw' in decoded && Buffer.isBuffer(decoded.raw) ? decoded.raw : Buffer.alloc(0)),
  },
})

const NO_TAGS = Buffer.from([0])

const encode = (topic: string): Buffer => {
  const name = Buffer.from(topic)
  const flags = Buffer.from([0, 0, 0]) // No automatic creation, no authorized operations.
  return Buffer.concat([NO_TAGS, unsignedVarInt(2), Buffer.alloc(ID_BYTES), unsignedVarInt(name.length + 1), name, NO_TAGS, flags, NO_TAGS])
}

const unsignedVarInt = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) return Buffer.from(bytes)
  }
}

const parse = (raw: Buffer): string => {
  const reader = new Reader(raw)
  reader.skipTags()
  reader.skip(4) // throttle time
  for (let brokers = reader.length(); brokers > 0; brokers--) {
    reader.skip(4) // node id
    reader.skipText() // host
    reader.skip(4) // port
    reader.skipText() // rack
    reader.skipTags()
  }
  reader.skipText() // cluster id
  reader.skip(4) // controller
  if (reader.length() !== 1) throw new Fault('bus.unavailable', 'Kafka: the answer names no topic')
  const code = reader.int16()
  reader.skipText() // name
  const id = reader.bytes(ID_BYTES)
  // Not a Fault: the caller tries again, for a topic just made may not be known everywhere yet.
  if (code !== 0) throw new Error(`Kafka: no id for the topic, error ${code}`)
  return id.toString('base64url')
}

class Reader {
  private readonly raw: Buffer
  private at = 0

  constructor(raw: Buffer) {
    this.raw = raw
  }

  skip(count: number): void {
    this.at += count
  }

  bytes(count: number): Buffer {
    this.at += count
    return this.raw.subarray(this.at - count, this.at)
  }

  int16(): number {
    return this.bytes(2).readInt16BE()
  }

  /** Length of a compact array or string; absent is 0. */
  length(): number {
    return Math.max(0, this.varInt() - 1)
  }

  skipText(): void {
    this.skip(this.length())
  }

  skipTags(): void {
    for (let tags = this.varInt(); tags > 0; tags--) {
      this.varInt()
      this.skip(this.varInt())
    }
  }

  private varInt(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.raw.readUInt8(this.at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
}
