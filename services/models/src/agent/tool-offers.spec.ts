import { describe, expect, it } from '@jest/globals'
import type { ServiceCall, ServiceReply } from '@baton/service'
import { createToolOffers, exactOf, TOOLS_MAX } from './tool-offers.ts'

const items = [
  { name: 'web/search', about: 'Finds pages.', input: { $schema: 'x', type: 'object', properties: { q: { type: 'string' } } } },
  { name: 'demo/echo', about: '', input: {} },
]
const reply = (body: unknown, status = 200): ServiceReply => ({ status, body: JSON.stringify(body), contentType: 'application/json' })

/** A tools service that answers in turn, and counts. */
const service = (...replies: readonly (ServiceReply | Error)[]): { call: ServiceCall; readonly asked: () => number } => {
  let asked = 0
  const call: ServiceCall = () => {
    const next = replies[Math.min(asked++, replies.length - 1)]
    return next === undefined || next instanceof Error ? Promise.reject(next ?? new Error('none')) : Promise.resolve(next)
  }
  return { call, asked: () => asked }
}

describe('tools that a model is told of (A7)', () => {
  it('O1: with the schema and words of the tools service; anything that is no object at the top is any object', async () => {
    const { call, asked } = service(reply({ items }))
    const offers = createToolOffers(call, () => 0)
    expect(await offers(['web/search', 'demo/echo', 'web/none'])).toEqual([
      { name: 'web/search', about: 'Finds pages.', schema: { type: 'object', properties: { q: { type: 'string' } } } },
      { name: 'demo/echo', schema: { type: 'object' } },
      { name: 'web/none', schema: { type: 'object' } },
    ])
    await offers(['web/search'])
    expect(asked()).toBe(1)
  })

  it('O1: by name alone where the service does not answer, and soon asked again', async () => {
    let nowMs = 0
    for (const broken of [new Error('down'), reply({}, 503), reply({ other: 1 })]) {
      const { call } = service(broken, reply({ items }))
      const offers = createToolOffers(call, () => nowMs)
      expect(await offers(['web/search'])).toEqual([{ name: 'web/search', schema: { type: 'object' } }])
      nowMs += 6_000
      expect(await offers(['web/search'])).toMatchObject([{ about: 'Finds pages.' }])
    }
  })

  it('O3: arguments of tools that cannot be undone, or of which nothing is known, are taken exactly', async () => {
    const effects = ['read', 'write', 'irreversible'].map((effect) => ({ name: `t/${effect}`, input: {}, effect }))
    const offers = createToolOffers(service(reply({ items: effects })).call, () => 0)
    expect(exactOf(await offers(['t/read', 't/write', 't/irreversible', 't/unknown', 'handoff/senior']))).toEqual([
      't/irreversible',
      't/unknown',
    ])
  })

  it('O2: a hand-over is a tool with a task; nobody is asked about it', async () => {
    const { call, asked } = service(reply({ items }))
    expect(await createToolOffers(call, () => 0)(['handoff/senior'])).toMatchObject([
      { name: 'handoff/senior', about: expect.stringContaining('senior'), schema: { required: ['task'] } },
    ])
    expect(asked()).toBe(0)
  })

  it('offers no more than a provider takes', async () => {
    const names = Array.from({ length: TOOLS_MAX + 1 }, (_, n) => `t/${n}`)
    await expect(createToolOffers(service(reply({ items })).call, () => 0)(names)).rejects.toMatchObject({ code: 'flow.invalid' })
  })
})
