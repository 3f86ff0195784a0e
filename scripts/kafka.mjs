// Runs one Kafka broker in the foreground and prints its address. Usage: node scripts/kafka.mjs [DIR], default .cache/kafka-data. Ctrl-C stops it.
import { resolve } from 'node:path'
import { kafkaAvailable, startKafka } from '../libs/testing/src/servers/kafka-server.ts'

const available = kafkaAvailable()
if (!available.ok) {
  console.error(available.reason)
  process.exit(1)
}
const server = await startKafka({ dir: resolve(process.argv[2] ?? '.cache/kafka-data') })
console.log(`KAFKA_BROKERS=${server.brokers.join(',')}`)
const stop = async () => {
  await server.stop()
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
