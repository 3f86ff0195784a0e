// A rolling restart as the Kafka adapter sees it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import {
  busesOn,
  DEAD,
  describeWithEachClient,
  numbered,
  numberOf,
  RETRY,
  sorted,
  TIMEOUT_MS,
  until,
  upTo,
  WORK,
} from './kafka-suite.fixture.ts'

const MESSAGES = 400

describeWithEachClient('a member of a group that is told to end', (kafka) => {
  const { start } = busesOn(kafka)

  it(
    'B7, K2: finishes what it has begun, hands over the rest, and nothing it finished is done again',
    async () => {
      const { bus, prefix } = await start()
      await bus.publish(numbered(WORK, MESSAGES, (n) => ({ key: `k${n}` })))
      const fixture = fileURLToPath(new URL('./draining-member.fixture.ts', import.meta.url))
      const leaver = spawn(
        process.execPath,
        ['--conditions=@baton/source', fixture, kafka.brokers.join(','), prefix, 'g', WORK.name, DEAD.name],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const before: number[] = []
      createInterface(leaver.stdout).on('line', (text) => before.push(Number(text)))
      await until(() => before.length >= 40)
      const exited = once(leaver, 'exit')
      leaver.kill('SIGTERM')
      expect(await exited).toEqual([0, null])
      const after: number[] = []
      await bus.lanes({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          after.push(numberOf(record))
          return { outcome: 'ack' }
        },
      })
      await until(() => new Set([...before, ...after]).size === MESSAGES)
      expect(sorted(new Set([...before, ...after]))).toEqual(upTo(MESSAGES))
      expect(after.filter((n) => before.includes(n))).toEqual([])
    },
    TIMEOUT_MS,
  )
})
