// Products of other teams on real Kafka: the example clients in every language that can be had here, and @baton/client over HTTP and Kafka (F7).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createClient, typedFlow } from '@baton/client'
import { openKafkaClient } from '@baton/client/kafka'
import { runIdOf, type RunResult } from '@baton/contracts'
import { readEnvironment } from '@baton/service'
import { describeWithKafka, describeWithPostgres } from '@baton/testing/suite'
import { openPlatform, type OpenedPlatform } from 'baton/platform'
import { FOREIGN_CLIENTS, prepareClient, runClient, type PreparedClient } from './interop-clients.ts'
import { makeHome, type Home } from './system.ts'

jest.setTimeout(240_000)
const PREFIX = 'shop.'
const FLOW = `
flow: shop/greet@1.0.0
limits: { time: 60s }
input: { text: string }
steps:
  - echo: { tool: demo/echo, with: { text: =input.text } }
output: { text: =echo.text }
`
const greet = typedFlow<{ text: string }, { text: string }>('shop/greet')
const clients = new Map<string, PreparedClient>(
  await Promise.all(FOREIGN_CLIENTS.map(async (name) => [name, await prepareClient(name)] as const)),
)

describeWithPostgres('other teams on PostgreSQL', (postgres) => {
  describeWithKafka('and Kafka', (kafka) => {
    let home: Home
    let opened: OpenedPlatform
    let url = ''
    beforeAll(async () => {
      home = await makeHome({ flows: { 'greet/flow.yaml': FLOW } })
      const environment = readEnvironment({
        KAFKA_BROKERS: kafka.brokers.join(','),
        DATABASE_URL: await postgres.freshDatabase(),
        BATON_TOPIC_PREFIX: PREFIX,
        BATON_EVENTS_PARTITIONS: '3',
        BATON_FLOWS_DIR: home.flowsDir,
        BATON_CONFIG_DIR: home.configDir,
        BATON_DATA_DIR: home.dataDir,
        LOG_LEVEL: 'silent',
      })
      opened = await openPlatform({ environment, name: 'baton' })
      await opened.start({ host: '127.0.0.1', port: 0 })
      url = opened.services.get('gateway')?.url ?? ''
    })
    afterAll(async () => {
      await opened.close({ graceMs: 2_000 })
      await home.remove()
    })

    for (const name of FOREIGN_CLIENTS) {
      const client = clients.get(name) ?? { ok: false, reason: 'not prepared' }
      if (!client.ok) process.stderr.write(`skipped: the example client ${name}: ${client.reason}\n`)
      const suite = client.ok ? describe : describe.skip
      const ask = async (input: string, id: string): Promise<RunResult> => {
        if (!client.ok) throw new Error(client.reason)
        return JSON.parse(await runClient(client, { brokers: kafka.brokers, prefix: PREFIX, args: ['shop/greet', input, id] })) as RunResult
      }
      suite(name, () => {
        it('asks for a run and gets its result', async () => {
          const result = await ask('{"text":"hello"}', `${name}-1`)
          expect(result).toMatchObject({ requestId: `${name}-1`, status: 'completed', output: { text: 'hello' } })
          expect(result.runId).toBe(runIdOf({ tenant: 'default', source: 'kafka', requestId: `${name}-1` }))
        })
        it('gets the same run when it asks again', async () => {
          const [first, again] = [await ask('{"text":"again"}', `${name}-2`), await ask('{"text":"again"}', `${name}-2`)]
          expect(again.runId).toBe(first.runId)
        })
        it('is told what is wrong with its request', async () => {
          expect(await ask('{"txt":"hello"}', `${name}-3`)).toMatchObject({ status: 'rejected', fault: { code: 'input.invalid' } })
        })
      })
    }

    describe('@baton/client over Kafka', () => {
      const open = () => openKafkaClient({ brokers: kafka.brokers, clientId: 'shop', topicPrefix: PREFIX, source: '/shop' })
      it('asks for runs, many at once, and gets each its own result', async () => {
        const client = await open()
        const runs = await Promise.all(Array.from({ length: 40 }, (_, n) => client.request(greet, { text: `hello ${n}` })))
        const results = await Promise.all(runs.map((run) => run.result({ timeoutMs: 60_000 })))
        await client.close()
        expect(results.map((result) => (result?.status === 'completed' ? result.output.text : result?.status))).toEqual(
          runs.map((_, n) => `hello ${n}`),
        )
      })
      it('C1: the same request from another process gives the result of the first', async () => {
        const ask = async () => {
          const client = await open()
          const run = await client.request(greet, { text: 'once' }, { id: 'order-17' })
          const result = await run.result({ timeoutMs: 60_000 })
          await client.close()
          return result
        }
        const [first, again] = [await ask(), await ask()]
        expect(again).toEqual(first)
        expect(first?.runId).toBe(runIdOf({ tenant: 'default', source: '/shop', requestId: 'order-17' }))
      })
      it('C3: a rejection belongs to its request', async () => {
        const client = await open()
        const wrong = await client.request({ name: 'shop/greet' }, { txt: 'x' })
        const right = await client.request(greet, { text: 'right' })
        const [rejected, completed] = await Promise.all([wrong, right].map((run) => run.result({ timeoutMs: 60_000 })))
        await client.close()
        expect(rejected).toMatchObject({ requestId: wrong.requestId, status: 'rejected', fault: { code: 'input.invalid' } })
        expect(completed).toMatchObject({ requestId: right.requestId, status: 'completed' })
      })
    })

    describe('@baton/client over HTTP', () => {
      it('asks for a run, follows it to its end, and gets its result', async () => {
        const run = await createClient({ url }).request(greet, { text: 'over HTTP' }, { id: 'http-1' })
        const seen: string[] = []
        for await (const { event } of run.events()) seen.push(event)
        expect(seen.at(0)).toBe('baton.journal.run.started.v1')
        expect(seen.at(-1)).toBe('baton.journal.run.ended.v1')
        expect(await run.result({ timeoutMs: 30_000 })).toMatchObject({ status: 'completed', output: { text: 'over HTTP' } })
      })
      it('E1: goes on behind the event at which it stopped', async () => {
        const client = createClient({ url })
        const run = await client.request(greet, { text: 'twice' }, { id: 'http-2' })
        await run.result({ timeoutMs: 30_000 })
        const ids: string[] = []
        for await (const { id } of run.events()) ids.push(id)
        const rest: string[] = []
        for await (const { id } of client.follow(run.runId, { lastEventId: ids[1] ?? '' })) rest.push(id)
        expect(rest).toEqual(ids.slice(2))
      })
    })
  })
})
