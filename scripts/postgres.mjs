// Runs PostgreSQL in the foreground and prints its address. Usage: node scripts/postgres.mjs [DIR], default .cache/postgres-data. Ctrl-C stops it.
import { resolve } from 'node:path'
import { postgresAvailable, startPostgres } from '../libs/testing/src/servers/postgres-server.ts'

const available = postgresAvailable()
if (!available.ok) {
  console.error(available.reason)
  process.exit(1)
}
const server = await startPostgres({ dir: resolve(process.argv[2] ?? '.cache/postgres-data') })
console.log(`DATABASE_URL=${server.url}`)
const stop = async () => {
  await server.stop()
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
