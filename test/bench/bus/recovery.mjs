// The broker is killed under load and started again: how long from when it serves until the next message is handled.
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../figures.mjs'
import { ACK, openBus, range, RETRY, topic, until } from './topics.mjs'

const PER_S = 200
const CALM_MS = 1_500

export const recovery = async (brokers, { rounds, server }) => {
  if (server === undefined)
    return [{ what: 'recovery after a restart of the broker', value: 'not measured: the broker is not ours to kill' }]
  const { bus } = await openBus(brokers, [topic('work', 6)], { publishTimeoutMs: 300_000 })
  const handled = []
  await bus.lanes({
    group: 'recovery',
    topics: ['work'],
    retry: RETRY,
    handler: async () => {
      handled.push(performance.now())
      return ACK
    },
  })
  const open = []
  let sent = 0
  const timer = setInterval(() => {
    const published = bus.publish([{ topic: 'work', key: `k${sent++}`, headers: {}, value: Buffer.alloc(100) }])
    open.push(
      published.then(
        () => true,
        () => false,
      ),
    )
  }, 1_000 / PER_S)
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    await sleep(CALM_MS)
    await server.kill()
    await server.restart()
    const servesAtMs = performance.now()
    await until(() => handled.at(-1) > servesAtMs)
    times.push(handled.find((atMs) => atMs > servesAtMs) - servesAtMs)
  }
  clearInterval(timer)
  const lost = (await Promise.all(open)).filter((taken) => !taken).length
  await bus.close()
  const worst = Math.max(...times)
  return [
    {
      what: 'kill -9 of the broker: from serving again to a message',
      value: `${(median(times) / 1_000).toFixed(2)} s ${range(
        times.map((ms) => ms / 1_000),
        2,
      )}`,
      goal: '< 5 s, each',
      met: worst < 5_000,
    },
    { what: 'messages refused meanwhile', value: `${lost}`, goal: '0', met: lost === 0 },
  ]
}
