import { createRequire } from 'node:module'
import fc from 'fast-check'
import type { ProduceRequest } from './cluster.ts'
import { encodeProduceBody } from './produce-request.ts'

type Encoded = { readonly buffer: Buffer }
const load = createRequire(import.meta.url)
const kafkajsProduce = load('kafkajs/src/protocol/requests/produce/v7/request') as (request: object) => { encode(): Promise<Encoded> }

const crc32C = load('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number

const NOW_MS = 1_789_000_000_123

const byKafkajs = async (request: ProduceRequest): Promise<Buffer> => {
  const topicData = request.topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, messages }) => ({
      partition,
      messages: messages.map((message) => ({ ...message, timestamp: NOW_MS })),
    })),
  }))
  return (await kafkajsProduce({ ...request, topicData }).encode()).buffer
}

const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.constantFrom('', 'ce_id', 'ü', 'é'.repeat(63), 'a'.repeat(64), 'a'.repeat(65), '\ud800'),
)
const message = fc.record({
  key: fc.option(text),
  value: fc.option(fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))),
  headers: fc.dictionary(text, text, { maxKeys: 12 }),
})
const request = fc.record({
  acks: fc.constantFrom(-1, 1),
  timeout: fc.nat(60_000),
  topicData: fc.array(
    fc.record({
      topic: fc.stringMatching(/^[a-z.]{1,80}$/),
      partitions: fc.array(fc.record({ partition: fc.nat(1_000), messages: fc.array(message, { minLength: 1, maxLength: 90 }) }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { maxLength: 3 },
  ),
})

describe('a produce request', () => {
  it('has the bytes that kafkajs would send', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const bytes = encodeProduceBody(asked, NOW_MS, crc32C)
        const expected = await byKafkajs(asked)
        expect(bytes.equals(expected)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('takes values and batches that need three bytes for a length', async () => {
    const messages = Array.from({ length: 300 }, (_, index) => ({
      key: `k${index}`,
      value: Buffer.alloc(index === 7 ? 200_000 : 10, index),
      headers: { name: 'x'.repeat(20_000) },
    }))
    const asked: ProduceRequest = { acks: -1, timeout: 1, topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }] }
    expect(encodeProduceBody(asked, NOW_MS, crc32C).equals(await byKafkajs(asked))).toBe(true)
  })
})
