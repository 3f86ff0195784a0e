// Does the task `convert` for Baton with nothing but a Kafka client: claim by consuming, heartbeat, complete, fail.
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const { KAFKA_BROKERS = '127.0.0.1:9092', TASK = 'convert', GROUP = `${TASK}-workers`, BATON_TOPIC_PREFIX: prefix = '' } = process.env
const HEARTBEAT_MS = Number(process.env.HEARTBEAT_MS ?? 10_000)
const topic = `${prefix}baton.tasks.${TASK}`

// A broker that has just started needs a while before it coordinates groups.
const retry = { retries: 30, maxRetryTime: 2_000 }
const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), clientId: GROUP, logLevel: logLevel.ERROR, retry })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
const consumer = kafka.consumer({ groupId: GROUP, sessionTimeout: 6_000, heartbeatInterval: 1_000 })

/** On the partition that the task names, with the type of the event in a header. */
const answer = ({ runId, attemptId, answerPartition }, type, data) =>
  producer.send({
    topic: `${prefix}baton.events`,
    messages: [
      {
        key: runId,
        partition: answerPartition,
        headers: { ce_type: `baton.step.${type}.v1` },
        value: JSON.stringify({ runId, attemptId, ...data }),
      },
    ],
  })

/** The work itself. */
const convert = async ({ document, seconds = 0 }) => {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  if (document.endsWith('.exe')) throw Object.assign(new Error(`${document} is no document`), { code: 'document.refused' })
  return { text: `converted ${document}` }
}

const work = async (task, stayInGroup) => {
  if (Date.now() > task.deadline) return // Nobody waits for it any more.
  const begunMs = Date.now()
  // Two heartbeats: one tells Baton that the work goes on, the other tells Kafka that this consumer lives.
  const beats = setInterval(() => {
    answer(task, 'extended', { untilMs: Date.now() + 3 * HEARTBEAT_MS }).catch((error) => console.error(error.message))
  }, HEARTBEAT_MS)
  const lives = setInterval(() => stayInGroup().catch((error) => console.error(error.message)), 1_000)
  const meter = () => ({ latencyMs: Date.now() - begunMs, costMicroUsd: 100 })
  try {
    const output = await convert(task.input)
    await answer(task, 'completed', { output, meter: meter() })
  } catch (error) {
    await answer(task, 'failed', { fault: { code: error.code ?? 'tool.failed', message: error.message }, meter: meter() })
  } finally {
    clearInterval(beats)
    clearInterval(lives)
  }
}

const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }) // False where it is there already.
await admin.disconnect()
await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
// The offset is committed after the answer was acknowledged: who dies in between leaves the task to the next one.
await consumer.run({ eachMessage: (taken) => work(JSON.parse(taken.message.value.toString()), () => taken.heartbeat()) })
console.log(`ready: ${topic}`)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => consumer.disconnect().then(() => producer.disconnect()))
