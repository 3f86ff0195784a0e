import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { Places } from './places.ts'

/** Gives what is asked for up to the limit, after a moment. */
const placesOf = (max: number): { places: Places; asked: number[] } => {
  const asked: number[] = []
  const store = {
    take: () => Promise.resolve({ granted: 0, waitMs: 0 }),
    places: async ({ want }: { want: number }) => {
      asked.push(want)
      await pause(2)
      return Math.min(want, max)
    },
  }
  return { places: new Places({ key: 'k', max, holder: 'h', store, onIdle: () => undefined }), asked }
}

describe('places (B8)', () => {
  it('all who come at once get one while there are any, and the rest none', async () => {
    const { places } = placesOf(20)
    const got = await Promise.all(Array.from({ length: 50 }, () => places.take()))
    expect(got.filter(Boolean)).toHaveLength(20)
  })
  it('R3: who comes while idle places are given back is not refused', async () => {
    const { places } = placesOf(5_000)
    const rounds = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        await pause(at * 30)
        const taken = await Promise.all(Array.from({ length: 10 }, () => places.take()))
        for (const one of taken) if (one) places.free()
        return taken
      }),
    )
    expect(rounds.flat().every(Boolean)).toBe(true)
  })
  it('asks less and less often while many hold places', async () => {
    const { places, asked } = placesOf(5_000)
    for (let count = 0; count < 200; count++) await places.take()
    expect(asked.length).toBeLessThan(16)
  })
})
