import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { Logger } from '@baton/telemetry'
import { BusWatch } from './bus-watch.ts'

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent }

const watched = (ask: () => Promise<unknown>) => {
  const seen: string[] = []
  let asked = 0
  const watch = new BusWatch({
    ask: () => {
      asked += 1
      return ask()
    },
    silentMs: 5,
    answerMs: 20,
    monotonicMs: () => performance.now(),
    onGone: () => seen.push('gone'),
    onBack: () => seen.push('back'),
    logger: silent,
  })
  return { seen, watch, asked: () => asked }
}
const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 400 && !holds(); tries += 1) await sleep(5)
  expect(holds()).toBe(true)
}

describe('BusWatch', () => {
  it('tells once that the bus is gone, and once that it is back', async () => {
    let there = false
    const { seen, watch } = watched(() => (there ? Promise.resolve() : new Promise(() => undefined)))
    watch.start()
    await until(() => seen.length === 1)
    await sleep(60)
    there = true
    await until(() => seen.length === 2)
    watch.stop()
    expect(seen).toEqual(['gone', 'back'])
  })

  it('a refusal is no answer', async () => {
    const { seen, watch } = watched(() => Promise.reject(new Error('refused')))
    watch.start()
    await until(() => seen.length === 1)
    watch.stop()
    expect(seen).toEqual(['gone'])
  })

  it('W6: does not ask while it hears of it', async () => {
    const { seen, watch, asked } = watched(() => Promise.resolve())
    const hearing = setInterval(() => watch.heard(), 1)
    watch.heard()
    watch.start()
    await sleep(60)
    watch.stop()
    clearInterval(hearing)
    expect(seen).toEqual([])
    expect(asked()).toBeLessThan(6)
  })
})
