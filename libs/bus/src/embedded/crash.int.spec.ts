import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Bus } from '../bus.ts'
import { copyWork, CRASH_TOPICS } from './crash-topics.fixture.ts'
import { openEmbeddedBus } from './embedded-bus.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-crash-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const KILLS = 8
const WRITER = fileURLToPath(new URL('./crash-writer.fixture.ts', import.meta.url))

/** Runs the writer until some messages are acknowledged, kills it, and tells which. */
const writeAndKill = async (first: number, round: number): Promise<readonly number[]> => {
  const child = spawn(process.execPath, ['--conditions=@baton/source', WRITER, dir, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: number[] = []
  const gone = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    acknowledged.push(Number(line))
    if (acknowledged.length < 60 + round * 37) continue
    await sleep(round)
    child.kill('SIGKILL')
  }
  await gone // Its pipe ends before it does, and it holds the directory until then.
  return acknowledged
}

const numbersIn = async (bus: Bus, topic: string): Promise<{ numbers: readonly number[]; gapless: boolean }> => {
  const { partitions } = await bus.describe(topic)
  const records = (
    await Promise.all(
      partitions.map(async ({ partition, first, next }) => bus.read({ topic, partition, offset: first, limit: next - first })),
    )
  ).flat()
  const counts = partitions.reduce((sum, { first, next }) => sum + next - first, 0)
  return { numbers: records.map(({ value }) => Number(value.toString())), gapless: counts === records.length }
}

describe('embedded log of a killed process', () => {
  it('V1, B1, B3: nothing acknowledged is lost, no gap is left, and what was not settled is handled', async () => {
    const acknowledged: number[] = []
    for (let round = 0; round < KILLS; round++) acknowledged.push(...(await writeAndKill(round * 100_000, round)))
    expect(acknowledged.length).toBeGreaterThan(KILLS * 60)

    const bus = await openEmbeddedBus({ dir, topics: CRASH_TOPICS })
    const work = await numbersIn(bus, 'work')
    expect(work.gapless).toBe(true)
    expect(new Set(work.numbers).size).toBe(work.numbers.length)
    expect(acknowledged.filter((number) => !work.numbers.includes(number))).toEqual([])

    await copyWork(bus)
    let missing = work.numbers
    while (missing.length > 0) {
      await sleep(50)
      const copied = new Set((await numbersIn(bus, 'copies')).numbers)
      missing = work.numbers.filter((number) => !copied.has(number))
    }
    const { numbers: copies } = await numbersIn(bus, 'copies')
    expect(new Set(copies).size).toBe(work.numbers.length)
    await bus.close()
  }, 60_000)

  it('a directory in use names the process that has it', async () => {
    const child = spawn(process.execPath, ['--conditions=@baton/source', WRITER, dir, '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: child.stdout })) {
      expect(Number(line)).toBeGreaterThanOrEqual(1_000_000)
      break
    }
    await expect(openEmbeddedBus({ dir, topics: CRASH_TOPICS })).rejects.toMatchObject({
      code: 'config.invalid',
      detail: { pid: child.pid },
    })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    await (await openEmbeddedBus({ dir, topics: CRASH_TOPICS })).close()
  }, 30_000)
})
