// Rows that need a broker: work of other teams, and events as anybody hears them. Baton as one process on Kafka and PostgreSQL.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { foreignClient, foreignConsume } from '@baton/testing/servers'
import { brief } from './lab.mjs'

const WORKER = join(import.meta.dirname, '..', '..', '..', 'examples', 'worker-node', 'worker.mjs')
const TASK = 'convert'
const TOPIC = 'lab.shouts'

/** Why these rows cannot be shown here, or undefined. */
export const missingClient = () => (foreignClient().ok ? undefined : foreignClient().reason)

/** The topic of others, and the example worker as a process of its own. */
export const openOthers = async (brokers) => {
  const admin = new Kafka({ brokers, clientId: 'others', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] })
  await admin.disconnect()
  const env = { ...process.env, KAFKA_BROKERS: brokers.join(','), TASK }
  const worker = spawn(process.execPath, [WORKER], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  await new Promise((resolve, reject) => {
    worker.stdout.on('data', (chunk) => String(chunk).includes('ready') && resolve())
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)))
  })
  return {
    close: () => {
      worker.kill('SIGTERM')
      return exited
    },
  }
}

const convert = (name, more = '') => `flow: lab/${name}@1.0.0
limits: { time: 1m }
input: { document: string }
steps:
  - convert: { task: ${TASK}, with: { document: =input.document }, returns: { text: string }${more} }
output: { text: =convert.text }
`

export const rows = [
  {
    pattern: 'a task is done by the worker of another team',
    flow: convert('task'),
    input: { document: 'a.pdf' },
    expected: { status: 'completed', output: { text: 'converted a.pdf' } },
  },
  {
    pattern: 'a task that the worker refuses: onError',
    flow: convert('task-refused', ', onError: { set: { text: =fault.code }, then: next }'),
    input: { document: 'a.exe' },
    expected: { status: 'completed', output: { text: 'tool.failed' }, degraded: ['tool.failed'] },
  },
  {
    pattern: 'emit: a client that is not ours reads the event from its topic',
    flow: `flow: lab/shout@1.0.0\nlimits: { time: 1m }\nsteps:\n  - told: { emit: { topic: ${TOPIC}, type: lab.shouted, key: loud }, with: { words: hello } }\n  - last: { set: told }\n`,
    expected: { status: 'completed', output: 'told', key: 'loud', type: 'lab.shouted', data: { words: 'hello' } },
    seen: async ({ lab, name }) => {
      const result = brief(await lab.run(name))
      const [record] = await foreignConsume({ brokers: lab.brokers, topic: TOPIC }, 1)
      return { ...result, key: record.key, type: record.headers.ce_type, data: JSON.parse(record.value) }
    },
  },
]
