// Everything dies in the middle: by kill -9, by SIGTERM, by being closed. Every run that was accepted ends once, and has its effect once (slice 4, R9).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Json } from '@baton/contracts'
import { startBaton, type BatonProcess } from './baton-process.ts'
import { startFakeProvider, type FakeProvider } from './fake-provider.ts'
import { makeHome, openAt, until, type Home, type Published, type System } from './system.ts'

const MODELS = `
models:
  fake-a: { provider: openai, model: fake-a, price: { input: 1, output: 2 } }
`
const ORDER = `
flow: test/order@1.0.0
limits: { time: 120s }
input: { text: string }
steps:
  - seen: { tool: demo/echo, with: { text: =input.text } }
  - sort:
      model: fake-a
      prompt: 'What does this customer want? {{ text }}.'
      with: { text: =seen.text }
      returns: { intent: refund | other, confidence: 0..1 }
      timeout: 20s
  - opened: { tool: support/create_ticket, with: { text: =input.text, intent: =sort.intent } }
  - noted: { tool: demo/echo, with: { ticket: =opened.ticket } }
output: { ticket: =noted.ticket, intent: =sort.intent }
`
const RUNS = 50

jest.setTimeout(100_000)
let provider: FakeProvider
beforeAll(async () => {
  provider = await startFakeProvider()
  // Each answer takes a little longer than the one before, so that at any time runs stand at every step.
  for (const batch of ['killed', 'stopped', 'closed'])
    for (const [n, id] of idsOf(batch).entries())
      provider.script(`order ${id}.`, { 'fake-a': [{ text: '{"intent":"refund","confidence":0.9}', delayMs: n * 40 }] })
})
afterAll(() => provider.close())

const providerEnv = () => ({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: provider.apiKey })
const idsOf = (batch: string): readonly string[] => Array.from({ length: RUNS }, (_, n) => `${batch}-${n}`)
const requestOf = (id: string): Readonly<Record<string, Json>> & { readonly id: string } => ({
  id,
  flow: 'test/order',
  input: { text: `order ${id}` },
})

/** Posts a request until some process has accepted it, as a client would; `target` is asked anew after each failure. */
const post = (id: string, target: () => string): Promise<true> =>
  until(
    `${id} to be accepted`,
    async () => {
      const accepted = fetch(`${target()}/v1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...requestOf(id), source: 'kafka' }),
        signal: AbortSignal.timeout(5_000),
      })
      const status = await accepted.then((answer) => answer.status).catch(() => 0)
      return status === 202 ? true : undefined
    },
    60_000,
  )

type Tickets = {
  readonly total: number
  readonly runs: number
  readonly items: readonly { readonly id: string; readonly runId: string; readonly createdAtMs: number }[]
}

/** Waits until some process has opened so many tickets. */
const opened = (target: string, count: number): Promise<true> =>
  until(
    `${count} tickets`,
    async () => {
      const answer = await fetch(`${target}/v1/tickets?limit=1`)
      const { total } = (await answer.json()) as Tickets // a total that is none makes the wait fail
      return total >= count ? true : undefined
    },
    60_000,
  )

const ticketsOf = async (system: System): Promise<Tickets> => {
  const { body } = await system.http<Tickets>('GET', '/v1/tickets?limit=500')
  return body
}

/** Every run has one result, however often it was published, and one ticket; also after its request comes again. */
const expectAllOnce = async (system: System, batch: string): Promise<ReadonlyMap<string, number>> => {
  const ids = idsOf(batch)
  const published = await Promise.all(ids.map((id) => system.results(id)))
  const first = published.map(([result]) => result).filter((result): result is Published => result !== undefined)
  expect(first.map(({ result }) => result.status)).toEqual(ids.map(() => 'completed'))
  for (const id of ids) await system.send(JSON.stringify({ ...requestOf(id), source: 'kafka' }), { key: id })
  const again = await Promise.all(ids.map((id, index) => system.results(id, (published[index]?.length ?? 0) + 1)))
  expect(again.map((results) => new Set(results.map((result) => JSON.stringify(result))).size)).toEqual(ids.map(() => 1))
  const { total, runs, items } = await ticketsOf(system)
  expect([total, runs]).toEqual([RUNS, RUNS])
  expect(new Map(items.map(({ runId, id }) => [runId, id]))).toEqual(
    new Map(first.map(({ result }) => [result.runId, (result.output as { ticket: string }).ticket])),
  )
  const createdAtMs = new Map(items.map((ticket) => [ticket.runId, ticket.createdAtMs]))
  return new Map(first.map(({ correlationId, result }) => [correlationId, createdAtMs.get(result.runId) ?? 0]))
}

describe(`${RUNS} runs in flight`, () => {
  it('R9, L9: kill -9 of everything, twice: each ends with one result and one ticket, and no finished answer is bought again', async () => {
    const home = await makeHome({ flows: { 'order/flow.yaml': ORDER }, models: MODELS })
    let baton: BatonProcess | undefined
    try {
      baton = await startBaton(home, providerEnv())
      const posts = idsOf('killed').map((id) => post(id, () => baton?.url ?? ''))
      await opened(baton.url, 10)
      const deathsMs = [Date.now()]
      await baton.kill()
      baton = await startBaton(home, providerEnv())
      await Promise.all(posts)
      await opened(baton.url, 25)
      deathsMs.push(Date.now())
      await baton.kill()
      baton = undefined
      const system = await openAt(home, providerEnv())
      try {
        const createdAtMs = await expectAllOnce(system, 'killed')
        // An answer that had led to a ticket was kept. What a dead process had asked and not finished is asked again.
        for (const [id, atMs] of createdAtMs)
          expect(provider.calls(`order ${id}.`).length).toBeLessThanOrEqual(1 + deathsMs.filter((deathMs) => deathMs < atMs).length)
      } finally {
        await system.close()
      }
    } finally {
      await baton?.kill()
      await home.remove()
    }
  })

  it('B7: SIGTERM in the middle drains, and the next process goes on', async () => {
    const home = await makeHome({ flows: { 'order/flow.yaml': ORDER }, models: MODELS })
    let baton: BatonProcess | undefined
    try {
      baton = await startBaton(home, providerEnv())
      await Promise.all(idsOf('stopped').map((id) => post(id, () => baton?.url ?? '')))
      await opened(baton.url, 10)
      await baton.stop(15_000)
      baton = undefined
      const system = await openAt(home, providerEnv())
      try {
        await expectAllOnce(system, 'stopped')
      } finally {
        await system.close()
      }
    } finally {
      await baton?.kill()
      await home.remove()
    }
  })

  it('B7: closed in the middle and opened again in one process', async () => {
    const home: Home = await makeHome({ flows: { 'order/flow.yaml': ORDER }, models: MODELS })
    try {
      const before = await openAt(home, providerEnv())
      await Promise.all(idsOf('closed').map((id) => before.send(JSON.stringify({ ...requestOf(id), source: 'kafka' }), { key: id })))
      await until('10 tickets', async () => ((await ticketsOf(before)).total >= 10 ? true : undefined))
      await before.close()
      const system = await openAt(home, providerEnv())
      try {
        await expectAllOnce(system, 'closed')
      } finally {
        await system.close()
      }
    } finally {
      await home.remove()
    }
  })
})
