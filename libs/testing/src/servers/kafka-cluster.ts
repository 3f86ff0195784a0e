// Several brokers on the loopback address, each a process that is a controller, too: what is lost when one of them is lost.
import { join } from 'node:path'
import { kafkaId, startKafka } from './kafka-server.ts'
import type { KafkaServer } from './kafka-server.ts'
import { freePorts } from './machine.ts'

const BROKERS = 3
const MIN_INSYNC = 2

/** `nodes` in the order of their ids, which begin with 1. */
export type KafkaCluster = { readonly brokers: readonly string[]; readonly nodes: readonly KafkaServer[]; stop(): Promise<void> }

/** Starts three brokers; what they keep for themselves is on all of them. */
export const startKafkaCluster = async ({
  dir,
  heapMb = 320,
}: {
  readonly dir: string
  readonly heapMb?: number
}): Promise<KafkaCluster> => {
  const ports = await freePorts(2 * BROKERS)
  const ids = Array.from({ length: BROKERS }, (_, n) => n + 1)
  const places = ids.map((id, n) => ({ id, port: ports[n] ?? 0, controllerPort: ports[BROKERS + n] ?? 0 }))
  const voters = places.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',')
  const clusterId = kafkaId()
  // Together: the first one serves only when another can vote for it.
  const started = await Promise.allSettled(
    places.map(({ id, port, controllerPort }) =>
      startKafka({
        dir: join(dir, `broker${id}`),
        port,
        heapMb,
        node: { id, clusterId },
        extra: {
          'node.id': id,
          'controller.quorum.voters': voters,
          listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
          'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
          'offsets.topic.replication.factor': BROKERS,
          'transaction.state.log.replication.factor': BROKERS,
          'transaction.state.log.min.isr': MIN_INSYNC,
          'default.replication.factor': BROKERS,
          'min.insync.replicas': MIN_INSYNC,
          // A broker that was killed is noticed within two seconds.
          'broker.session.timeout.ms': 2_000,
          'broker.heartbeat.interval.ms': 500,
          'replica.lag.time.max.ms': 3_000,
        },
      }),
    ),
  )
  const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()))
  }
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { brokers: nodes.flatMap((node) => node.brokers), nodes, stop }
}
