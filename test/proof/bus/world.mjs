// Brokers for the faults: one with a door behind a proxy that can swallow everything (and one into a network namespace), a bare one with
// settings of its own, three of them.
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startKafka, startKafkaCluster } from '@baton/testing/servers'
import { openProxy } from '../takeover-network.mjs'
import { openStage } from './stage.mjs'

/** Address of this side of the interface that a process in a namespace is plugged in with (takeover-network.mjs, slot 1). */
export const NAMESPACE_SLOT = 1
const NAMESPACE_HOST = `10.77.${NAMESPACE_SLOT}.1`

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const single = async (dir, { namespaces }) => {
  const [port, controllerPort, behindPort, proxyPort, insidePort] = await Promise.all(Array.from({ length: 5 }, freePort))
  const inside = namespaces ? [`INSIDE://0.0.0.0:${insidePort}`, `INSIDE://${NAMESPACE_HOST}:${insidePort}`] : undefined
  const list = (...names) => names.filter((name) => name !== undefined).join(',')
  const kafka = await startKafka({
    dir: join(dir, 'kafka'),
    port,
    extra: {
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      listeners: list(
        `PLAINTEXT://127.0.0.1:${port}`,
        `CONTROLLER://127.0.0.1:${controllerPort}`,
        `BEHIND://127.0.0.1:${behindPort}`,
        inside?.[0],
      ),
      'advertised.listeners': list(`PLAINTEXT://127.0.0.1:${port}`, `BEHIND://127.0.0.1:${proxyPort}`, inside?.[1]),
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BEHIND:PLAINTEXT,INSIDE:PLAINTEXT',
    },
  })
  const proxy = await openProxy({ port: proxyPort, to: { host: '127.0.0.1', port: behindPort } })
  return {
    kafka,
    proxy,
    dir,
    inside: `${NAMESPACE_HOST}:${insidePort}`,
    stage: (handle, more) => openStage({ publishTo: kafka.brokers, consumeFrom: [`127.0.0.1:${proxyPort}`], handle, more }),
    stop: async () => {
      proxy.close()
      await kafka.stop()
    },
  }
}

const cluster = async (dir) => {
  const kafka = await startKafkaCluster({ dir: join(dir, 'cluster') })
  return { kafka, stage: (handle, more) => openStage({ publishTo: kafka.brokers, handle, more }), stop: () => kafka.stop() }
}

/** Cases make what they need themselves. */
const bare = async (dir) => ({ dir, startKafka, stop: async () => undefined })

export const WORLDS = { single, cluster, bare }
