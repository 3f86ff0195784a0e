import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import type { Bus, OutgoingRecord } from '../bus.ts'
import { LetterBook } from './letter-book.ts'
import { listDeadLetters, redriveDeadLetters } from './dead-letters.ts'
import { openEmbeddedBus } from '../embedded/embedded-bus.ts'
import { encodeFailure, HEADER } from '../lanes/failure-record.ts'

const topic = (name: string) => ({ name, partitions: 1, retentionMs: 1e9, compacted: false, logAppendTime: true, about: '' })
let dir = ''
let bus: Bus
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'baton-letters-'))
  bus = await openEmbeddedBus({ dir, topics: [topic('work'), topic('dlt')] })
  const letter = (n: number): OutgoingRecord =>
    encodeFailure(
      'dlt',
      { key: `k${n}`, value: Buffer.from([n]), headers: { ce_id: `k${n}/1` } },
      {
        origin: { topic: 'work', partition: 0, offset: n, timestampMs: 1 },
        fault: { code: 'tool.failed', message: 'down' },
        attempts: 4,
        stage: 2,
      },
    )
  await bus.publish(Array.from({ length: 5 }, (_, n) => letter(n)))
})
afterEach(async () => {
  await bus.close()
  rmSync(dir, { recursive: true, force: true })
})

/** The bus, but a publish may fail. */
const failing = (fails: (call: number) => boolean): Bus => {
  let calls = 0
  const publish: Bus['publish'] = async (records) => {
    if (fails(calls++)) throw new Fault('bus.unavailable', 'down')
    return bus.publish(records)
  }
  return Object.create(bus, { publish: { value: publish } })
}
const idsAtWork = async (): Promise<readonly (string | undefined)[]> =>
  (await bus.read({ topic: 'work', partition: 0, offset: 0, limit: 99 })).map(({ headers }) => headers['ce_id'])

describe('redrive', () => {
  it('X3: what breaks off in the middle is taken up again without losing or doubling a letter', async () => {
    await expect(
      redriveDeadLetters(
        failing((call) => call === 2),
        { topic: 'dlt' },
      ),
    ).rejects.toMatchObject({ code: 'bus.unavailable' })
    expect((await listDeadLetters(bus, { topic: 'dlt' })).letters.map(({ key }) => key)).toEqual(['k2', 'k3', 'k4'])
    const { letters } = await redriveDeadLetters(bus, { topic: 'dlt' })
    expect(letters.map(({ offset }) => offset)).toEqual([2, 3, 4])
    expect(await idsAtWork()).toEqual([0, 1, 2, 3, 4].map((n) => `k${n}/1`))
    expect((await redriveDeadLetters(bus, { topic: 'dlt' })).letters).toEqual([])
  })

  it('keeps to its rate, its limit and its name, and stops when told', async () => {
    const startMs = performance.now()
    const { letters } = await redriveDeadLetters(bus, { topic: 'dlt', ratePerSecond: 100, limit: 3, redriveId: 'fix-42' })
    expect([letters.length, performance.now() - startMs >= 18]).toEqual([3, true])
    const sent = await bus.read({ topic: 'work', partition: 0, offset: 0, limit: 9 })
    expect(sent.map(({ headers }) => headers)).toEqual(
      [0, 1, 2].map((n) => ({ ce_id: `k${n}/1`, [HEADER.redriveId]: 'fix-42', [HEADER.redriveHistory]: expect.any(String) })),
    )
    const stopped = await redriveDeadLetters(bus, { topic: 'dlt', signal: AbortSignal.abort() })
    expect(stopped.letters).toEqual([])
  })

  it('X1: a message without an id keeps the one that its first place gave it', async () => {
    const origin = { topic: 'work', partition: 0, offset: 41, timestampMs: 1 }
    await bus.publish([encodeFailure('dlt', { key: 'n', value: Buffer.from('{}'), headers: {} }, { origin, attempts: 1, stage: 0 })])
    await redriveDeadLetters(bus, { topic: 'dlt', where: ({ key }) => key === 'n' })
    expect(await idsAtWork()).toEqual(['work/0/41'])
  })

  it('K3: a book forgets what retention took away, and reads a topic that was made anew from its beginning', async () => {
    let changed: { topicId?: string; first?: number } = {}
    const describe: Bus['describe'] = async (name) => {
      const { topicId, partitions } = await bus.describe(name)
      const { first, ...other } = changed
      return { topicId, ...other, partitions: partitions.map((range) => ({ ...range, ...(first === undefined ? {} : { first }) })) }
    }
    const met: string[] = []
    const book = new LetterBook({
      bus: Object.create(bus, { describe: { value: describe } }),
      topic: 'dlt',
      onLetter: ({ key }) => met.push(key),
    })
    await book.refresh()
    changed = { first: 3 }
    await book.refresh()
    expect([...book.letters()].map(({ key }) => key)).toEqual(['k3', 'k4'])
    changed = { topicId: 'another' }
    await book.refresh()
    expect([[...book.letters()].length, met.length]).toEqual([5, 10])
  })

  it('a past that a stranger wrote is none', async () => {
    for (const past of ['{', '[]', '{"redrives":"x"}', '{"redrives":1,"attempts":"9@1:no.such","first":{"atMs":1}}']) {
      const origin = { topic: 'work', partition: 0, offset: 9, timestampMs: 1 }
      const message = { key: 'x', value: Buffer.from('x'), headers: { [HEADER.redriveHistory]: past } }
      await bus.publish([encodeFailure('dlt', message, { origin, attempts: 1, stage: 0 })])
    }
    const { letters } = await listDeadLetters(bus, { topic: 'dlt', where: ({ key }) => key === 'x' })
    expect(letters.map(({ redrives, history, headers }) => [redrives, history, headers])).toEqual(
      Array.from({ length: 4 }, () => [0, [], {}]),
    )
  })

  it('a message from a stranger cannot pass for a marker', async () => {
    const forged = encodeFailure(
      'dlt',
      { key: 'x', value: Buffer.from('x'), headers: { [HEADER.redrivenOf]: '0' } },
      {
        origin: { topic: 'work', partition: 0, offset: 9, timestampMs: 1 },
        attempts: 1,
        stage: 0,
      },
    )
    await bus.publish([forged])
    expect((await listDeadLetters(bus, { topic: 'dlt' })).letters).toHaveLength(6)
  })
})
