// The Kafka adapter on a real broker, where members come and go, logs are cut, and the broker itself restarts.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FaultData } from '@baton/contracts/fault'
import { describe, expect, it } from '@jest/globals'
import type { LanesOptions } from '../bus.ts'
import {
  busesOn,
  DEAD,
  describeWithEachClient,
  LOG,
  numbered,
  numberOf,
  RESTART_TIMEOUT_MS,
  RETRY,
  sorted,
  TABLE,
  TIMEOUT_MS,
  until,
  upTo,
  WORK,
} from './kafka-suite.fixture.ts'

describeWithEachClient('Kafka under change', (kafka) => {
  const { client, cutBefore, newPrefix, start } = busesOn(kafka)

  it(
    'F1: after a seek the first record is the one asked for, whatever was under way; F2: one batch of a partition at a time',
    async () => {
      const { bus } = await start()
      await bus.publish(numbered(LOG, 500, () => ({ partition: 0 })))
      let expected = -1
      let wrong = 0
      let together = 0
      let handling = 0
      const reader = await bus.log({
        topic: LOG.name,
        onFault: () => wrong++,
        onBatch: async (_, records) => {
          handling++
          together = Math.max(together, handling)
          for (const { offset } of records) {
            if (offset !== expected) wrong++
            expected = offset + 1
          }
          await sleep(1)
          handling--
        },
      })
      const writing = Promise.all(
        upTo(40).map(async (n) => sleep(n * 10).then(() => bus.publish(numbered(LOG, 50, () => ({ partition: 0 }))))),
      )
      for (const n of upTo(30)) {
        const position = (n * 37) % 500
        await reader.release(0)
        await until(() => handling === 0) // What was handed over before the move may still be in work.
        expected = position
        await reader.seek(0, position)
        await until(() => expected > position)
      }
      await writing
      await until(() => expected === 2_500)
      expect([wrong, together]).toEqual([0, 1])
    },
    TIMEOUT_MS,
  )

  it(
    'B5: what a foreign transaction leaves in the log is no gap; what it took back is not seen',
    async () => {
      const { bus, prefix } = await start()
      const producer = client().producer({ transactionalId: prefix, idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const send = async (value: string, end: 'commit' | 'abort'): Promise<void> => {
        const transaction = await producer.transaction()
        await transaction.send({ topic: `${prefix}log`, messages: [{ key: 'k', value, partition: 0 }] })
        await transaction[end]()
      }
      const seen: number[] = []
      const faults: FaultData[] = []
      const reader = await bus.log({
        topic: LOG.name,
        onBatch: (_, records) => void seen.push(...records.map(numberOf)),
        onFault: (_, fault) => faults.push(fault),
      })
      await reader.seek(0, 0)
      await send('0', 'commit')
      await send('99', 'abort')
      await send('1', 'commit')
      await bus.publish([{ topic: LOG.name, key: 'k', partition: 0, value: Buffer.from('2'), headers: {} }])
      await until(() => seen.length >= 3)
      expect([seen, faults]).toEqual([[0, 1, 2], []])
      await producer.disconnect()
    },
    TIMEOUT_MS,
  )

  it(
    'F4: a log cut behind its reader is log.truncated; F3: other partitions go on',
    async () => {
      const { bus, prefix } = await start()
      await bus.publish(numbered(LOG, 20, () => ({ partition: 0 })))
      const faults: [number, FaultData][] = []
      const seen: number[] = []
      let release = (): void => {}
      const opened = new Promise<void>((resolve) => (release = resolve))
      const reader = await bus.log({
        topic: LOG.name,
        onBatch: async (partition, records) => {
          if (partition === 1) seen.push(...records.map(numberOf))
          else await opened
        },
        onFault: (partition, fault) => faults.push([partition, fault]),
      })
      await reader.seek(0, 0)
      await reader.seek(1, 0)
      await cutBefore(`${prefix}log`, 20)
      await reader.seek(0, 3)
      await bus.publish(numbered(LOG, 3, () => ({ partition: 1 })))
      await until(() => seen.length === 3)
      expect(faults).toMatchObject([[0, { code: 'log.truncated', detail: { first: 20, next: 20, position: 3 } }]])
      release()
    },
    TIMEOUT_MS,
  )

  it(
    'K3: lanes whose stored position is gone go on with what the log holds',
    async () => {
      const { bus, prefix } = await start()
      const seen: number[] = []
      const options: LanesOptions = {
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          seen.push(numberOf(record))
          return { outcome: 'ack' }
        },
      }
      const first = await bus.lanes(options)
      await bus.publish(numbered(WORK, 5, () => ({ partition: 0 })))
      await until(() => seen.length === 5)
      await first.close({ graceMs: 1_000 })
      await bus.publish(numbered(WORK, 10, (n) => ({ partition: 0, value: Buffer.from(String(5 + n)) })))
      await cutBefore(`${prefix}work`, 12)
      await bus.lanes(options)
      await until(() => seen.includes(14))
      expect(seen).toEqual([0, 1, 2, 3, 4, 12, 13, 14])
    },
    TIMEOUT_MS,
  )

  it(
    'G1, K1: a handler may take longer than the session; where its partition stays, a member that joins does not disturb it',
    async () => {
      const { bus, prefix } = await start(newPrefix(), { sessionTimeoutMs: 1_500, heartbeatIntervalMs: 300 })
      const { bus: other } = await start(prefix, { sessionTimeoutMs: 1_500, heartbeatIntervalMs: 300 })
      const outcomes: string[] = []
      const member = (name: string): LanesOptions => ({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async ({ partition }, { signal }) => {
          const whole = await sleep(4_000, true, { signal }).catch(() => false)
          outcomes.push(`${name} ${partition} ${whole ? 'whole' : 'aborted'}`)
          return { outcome: 'ack' }
        },
      })
      await bus.publish(
        upTo(4).map((partition) => ({ topic: WORK.name, key: `k${partition}`, partition, value: Buffer.from('x'), headers: {} })),
      )
      await bus.lanes(member('one'))
      await sleep(500)
      await other.lanes(member('two'))
      const count = (end: string): number => outcomes.filter((outcome) => outcome.endsWith(end)).length
      await until(() => count('whole') === 4)
      const lost = outcomes.filter((outcome) => outcome.endsWith('aborted')).map((outcome) => outcome.split(' ')[1])
      const redone = outcomes.filter((outcome) => outcome.startsWith('two')).map((outcome) => outcome.split(' ')[1])
      expect(lost.length).toBe(2)
      expect(new Set(redone)).toEqual(new Set(lost))
    },
    TIMEOUT_MS,
  )

  it(
    'B2, B3, G3: members come and go under load: every message is settled, and no key is handled by two at once afterwards',
    async () => {
      const { bus, prefix } = await start()
      const { bus: other } = await start(prefix)
      const settled = new Set<number>()
      const running = new Map<string, number>()
      let overlaps = 0
      const member = (name: string): LanesOptions => ({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record, { signal }) => {
          const now = (running.get(record.key) ?? 0) + 1
          running.set(record.key, now)
          if (now > 1) overlaps++
          await sleep(2, undefined, { signal }).catch(() => undefined)
          running.set(record.key, (running.get(record.key) ?? 1) - 1)
          if (!signal.aborted) handled.set(name, (handled.get(name) ?? 0) + 1)
          if (!signal.aborted) settled.add(numberOf(record))
          return { outcome: 'ack' }
        },
      })
      const handled = new Map<string, number>()
      const publish = async (from: number, count: number): Promise<void> => {
        await bus.publish(numbered(WORK, count, (n) => ({ key: `k${(from + n) % 97}`, value: Buffer.from(String(from + n)) })))
      }
      const one = await bus.lanes(member('one'))
      await publish(0, 1_000)
      const two = await other.lanes(member('two'))
      await publish(1_000, 1_000)
      await until(() => settled.size === 2_000)
      overlaps = 0
      handled.clear()
      await publish(2_000, 1_000)
      await until(() => settled.size === 3_000)
      expect(overlaps).toBe(0)
      expect([...handled.keys()].toSorted()).toEqual(['one', 'two'])
      await one.close({ graceMs: 1_000 })
      await publish(3_000, 1_000)
      await until(() => settled.size === 4_000)
      expect(sorted(settled)).toEqual(upTo(4_000))
      await two.close({ graceMs: 1_000 })
    },
    TIMEOUT_MS,
  )

  it(
    'B3, K2: what a killed process had begun is done by another member',
    async () => {
      const { bus, prefix } = await start(newPrefix(), { sessionTimeoutMs: 2_000 })
      await bus.publish(numbered(WORK, 40))
      const fixture = fileURLToPath(new URL('./lane-member.fixture.ts', import.meta.url))
      const victim = spawn(
        process.execPath,
        ['--conditions=@baton/source', fixture, kafka.brokers.join(','), prefix, 'g', WORK.name, DEAD.name, kafka.client],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const begun: string[] = []
      createInterface(victim.stdout).on('line', (key) => begun.push(key))
      await until(() => begun.length >= 10)
      victim.kill('SIGKILL')
      const settled = new Set<number>()
      await bus.lanes({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          settled.add(numberOf(record))
          return { outcome: 'ack' }
        },
      })
      await until(() => settled.size === 40)
      expect(sorted(settled)).toEqual(upTo(40))
    },
    TIMEOUT_MS,
  )

  const restartable = kafka.owned ? describe : describe.skip
  restartable('a broker that stops and starts', () => {
    it(
      'F5, G2: loses nothing: publishes, lanes, log and table go on',
      async () => {
        const { bus } = await start(newPrefix(), { publishTimeoutMs: RESTART_TIMEOUT_MS })
        const lanes = new Set<number>()
        const log: number[] = []
        const rows = new Map<string, string>()
        await bus.lanes({
          group: 'g',
          topics: [WORK.name],
          retry: RETRY,
          handler: async (record) => {
            lanes.add(numberOf(record))
            return { outcome: 'ack' }
          },
        })
        const reader = await bus.log({
          topic: LOG.name,
          onBatch: (_, records) => void log.push(...records.map(numberOf)),
          onFault: () => undefined,
        })
        await reader.seek(0, 0)
        await bus.table({ topic: TABLE.name, onRecord: ({ key, value }) => void rows.set(key, value.toString()) })
        const publish = (n: number): Promise<unknown> =>
          bus.publish([
            { topic: WORK.name, key: `k${n}`, value: Buffer.from(String(n)), headers: {} },
            { topic: LOG.name, partition: 0, key: 'k', value: Buffer.from(String(n)), headers: {} },
            { topic: TABLE.name, key: `k${n}`, value: Buffer.from(String(n)), headers: {} },
          ])
        await publish(0)
        const restarted = kafka.server?.restart()
        const published: Promise<unknown>[] = []
        for (const n of upTo(60).slice(1)) {
          published.push(publish(n))
          await sleep(20)
        }
        await restarted
        await Promise.all(published)
        await until(() => lanes.size === 60 && new Set(log).size === 60 && rows.size === 60)
        expect(sorted(lanes)).toEqual(upTo(60))
        // A request whose answer was lost is sent again: repeats are normal, another order is not.
        expect(log.filter((n, index) => log.indexOf(n) === index)).toEqual(upTo(60))
      },
      RESTART_TIMEOUT_MS,
    )
  })
})
