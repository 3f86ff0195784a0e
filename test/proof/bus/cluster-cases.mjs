// Three brokers: one and two of them killed, and a coordinator that moves while everybody lives.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { rowOf } from './row.mjs'
import { GROUP, message, settle, standstillFrom, stream } from './stage.mjs'

const PER_S = 200
const CALM_MS = 2_000
const DEAD_MS = 5_000
const OFFSETS = '__consumer_offsets'

/** `harm` gives from when on standing still counts. */
const underLoad = async (world, harm, { withinMs = 5_000 } = {}) => {
  const stage = await world.stage()
  const { ledger, publish, close } = stage
  const load = stream(publish, PER_S, (n) => message(n))
  await sleep(CALM_MS)
  const { fromMs, note } = await harm(stage)
  await sleep(CALM_MS)
  await load.stop()
  await settle(ledger)
  await close()
  const recoveryMs = standstillFrom(ledger, fromMs)
  return rowOf(ledger, {
    recoveryMs,
    note,
    promises: [
      [`no partition stands still for ${withinMs / 1_000} s`, recoveryMs < withinMs],
      ['refuses nothing', ledger.refused === 0],
    ],
  })
}

const admin = async ({ brokers }, work) => {
  const client = new kafkajs.Kafka({ brokers: [...brokers], clientId: 'operator', logLevel: kafkajs.logLevel.NOTHING }).admin()
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.disconnect()
  }
}

const javaHash = (text) => [...text].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 0)

/** The partition of the offsets that a group belongs to, and who leads it: the coordinator of the group. */
const coordinatorOf = async (client, group) => {
  const { topics } = await client.fetchTopicMetadata({ topics: [OFFSETS] })
  const { partitions } = topics[0]
  const at = (javaHash(group) & 0x7fffffff) % partitions.length
  return partitions.find(({ partitionId }) => partitionId === at)
}

const until = async (what, condition, timeoutMs = 30_000) => {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await sleep(50)
  }
}

export const CASES = {
  one: {
    slow: true,
    title: `one broker of three kill -9, away ${DEAD_MS / 1_000} s`,
    run: (world) =>
      underLoad(world, async ({ prefix }) => {
        const { kafka } = world
        // The one that hurts most: it leads the group, too.
        const { leader } = await admin(kafka, (client) => coordinatorOf(client, prefix + GROUP))
        const victim = kafka.nodes[leader - 1]
        const fromMs = performance.now()
        await victim.kill()
        await sleep(DEAD_MS)
        await victim.restart()
        return { fromMs, note: 'from the kill on; the one that coordinates the group' }
      }),
  },
  two: {
    slow: true,
    title: `two brokers of three kill -9, away ${DEAD_MS / 1_000} s`,
    run: (world) =>
      underLoad(world, async () => {
        const victims = world.kafka.nodes.slice(0, 2)
        await Promise.all(victims.map((victim) => victim.kill()))
        await sleep(DEAD_MS)
        await Promise.all(victims.map((victim) => victim.restart()))
        return { fromMs: performance.now(), note: 'from when they serve again on' }
      }),
  },
  coordinator: {
    slow: true,
    title: 'the coordinator of the group moves',
    run: (world) =>
      underLoad(world, async ({ prefix }) => {
        const group = prefix + GROUP
        return admin(world.kafka, async (client) => {
          const { partitionId, leader, replicas } = await coordinatorOf(client, group)
          const fromMs = performance.now()
          const others = replicas.filter((node) => node !== leader)
          const places = (nodes) => [{ topic: OFFSETS, partitionAssignment: [{ partition: partitionId, replicas: nodes }] }]
          await client.alterPartitionReassignments({ topics: places(others), timeout: 10_000 })
          await until('another coordinator', async () => (await coordinatorOf(client, group)).leader !== leader)
          const { leader: next } = await coordinatorOf(client, group)
          await sleep(CALM_MS)
          await client.alterPartitionReassignments({ topics: places([...others, leader]), timeout: 10_000 })
          return { fromMs, note: `from broker ${leader} to ${next}` }
        })
      }),
  },
}
