// Routing processes, each with a way of its own to Kafka and PostgreSQL that can be cut.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { mkdtempSync, chmodSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka, startPostgres } from '@baton/testing/servers'
import { openProxy, plugIn } from './takeover-network.mjs'
import { until } from './system.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const BATON = join(ROOT, 'cli', 'bin', 'baton.mjs')
const SLOTS = [1, 2]

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Kafka with a listener for every slot, advertised under the address of the slot's proxy: a client never finds the way around it. */
export const startCuttable = async ({ namespaces }) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-takeover-'))
  chmodSync(dir, 0o755) // PostgreSQL may run as another user
  const port = await freePort()
  const controllerPort = await freePort()
  const ways = []
  for (const slot of SLOTS)
    ways.push({
      slot,
      host: namespaces ? `10.77.${slot}.1` : '127.0.0.1',
      kafkaPort: await freePort(),
      proxyPort: await freePort(),
      postgresPort: await freePort(),
    })
  const listeners = ways.map(({ slot, kafkaPort }) => `SLOT${slot}://127.0.0.1:${kafkaPort}`)
  const advertised = ways.map(({ slot, host, proxyPort }) => `SLOT${slot}://${host}:${proxyPort}`)
  const kafka = await startKafka({
    dir: join(dir, 'kafka'),
    port,
    extra: {
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      listeners: [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`, ...listeners].join(','),
      'advertised.listeners': [`PLAINTEXT://127.0.0.1:${port}`, ...advertised].join(','),
      'listener.security.protocol.map': [
        'PLAINTEXT:PLAINTEXT',
        'CONTROLLER:PLAINTEXT',
        ...SLOTS.map((slot) => `SLOT${slot}:PLAINTEXT`),
      ].join(','),
    },
  })
  const postgres = await startPostgres({ dir: join(dir, 'postgres') })
  const database = new URL(postgres.url)
  const slots = []
  for (const { slot, host, kafkaPort, proxyPort, postgresPort } of ways) {
    const url = new URL(database)
    url.host = `${host}:${postgresPort}`
    slots.push({
      slot,
      kafka: await openProxy({ port: proxyPort, to: { host: '127.0.0.1', port: kafkaPort } }),
      postgres: await openProxy({ port: postgresPort, to: { host: '127.0.0.1', port: Number(database.port) } }),
      env: { KAFKA_BROKERS: `${host}:${proxyPort}`, DATABASE_URL: url.href },
    })
  }
  return {
    kafka,
    postgres,
    slots,
    stop: async () => {
      for (const slot of slots) for (const proxy of [slot.kafka, slot.postgres]) proxy.close()
      await Promise.all([kafka.stop(), postgres.stop()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A routing process in a slot. In a namespace of its own it waits until its interface is plugged in. */
export const startRouting = async (slot, { env, namespaces, verbose }) => {
  const args = [BATON, 'up', '--only', 'routing', '--port', '0']
  const [command, commandArgs] = namespaces
    ? ['unshare', ['-n', 'sh', '-c', 'echo plug; read -r line && exec "$0" "$@"', process.execPath, ...args]]
    : [process.execPath, args]
  const child = spawn(command, commandArgs, {
    cwd: ROOT,
    env: { ...process.env, LOG_LEVEL: verbose ? 'info' : 'error', ...env, ...slot.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  if (verbose)
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => process.stderr.write(`[${slot.slot}] ${chunk}`))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let network
  if (namespaces) {
    await until('a namespace', async () => output.includes('plug'))
    network = plugIn(child.pid, slot.slot)
    child.stdin.write('plugged\n')
  }
  await until(
    'routing to be ready',
    async () => {
      if (child.exitCode !== null) throw new Error(output.slice(-2_000))
      return /^ready$/m.test(output)
    },
    { timeoutMs: 60_000 },
  ).catch((error) => {
    throw new Error(`${error.message}\n${output.slice(-2_000)}`)
  })
  return {
    slot,
    network,
    pid: child.pid,
    running: () => child.exitCode === null && child.signalCode === null,
    signal: (name) => child.kill(name),
    kill: () => {
      child.kill('SIGKILL')
      return exited
    },
  }
}
