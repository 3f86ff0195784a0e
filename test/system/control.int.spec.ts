// Runs that people and programs change from outside: paused, patched, told of events, cancelled, run again; one and many (MISSION F5).
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { partitionOf, TOPICS, type Json } from '@baton/contracts'
import { startBaton, type BatonProcess } from './baton-process.ts'
import { makeHome, openSystem, until, type Home, type System } from './system.ts'

jest.setTimeout(120_000)
const root = join(import.meta.dirname, '../..')

const ORDER = `flow: shop/order@1.0.0
params:
  share: { type: number, default: 0.5, min: 0, max: 1 }
input: { order: string, urgent: { type: boolean, default: false } }
steps:
  - first: { set: { order: =input.order } }
  - paid:
      wait: { event: payment/confirmed, match: event.order == input.order, timeout: 1d }
      returns: { order: string, amount: number }
  - told: { set: { order: =first.order, urgent: =input.urgent, share: =params.share, amount: =paid.amount } }
output: =told
`
const OUTER = `flow: shop/outer@1.0.0
input: { order: string }
steps:
  - go: { wait: { event: go } }
  - inner: { flow: shop/inner, with: { order: =input.order }, returns: { version: string } }
output: { version: =inner.version }
`
const innerOf = (version: string): string => `flow: shop/inner@${version}
input: { order: string }
steps:
  - paid: { wait: { event: payment/confirmed } }
  - done: { set: { version: "${version}" } }
output: =done
`
const KEYED = `flow: shop/keyed@1.0.0
input: { order: string }
steps:
  - paid: { wait: { event: payment/confirmed, key: =input.order } }
`
const flows = { 'keyed/flow.yaml': KEYED, 'order/flow.yaml': ORDER, 'outer/flow.yaml': OUTER, 'inner/flow.yaml': innerOf('1.0.0') }

type Run = {
  readonly runId: string
  readonly status: string
  readonly rootRunId: string | null
  readonly waitingFor: string | null
  readonly result?: { readonly output?: Json; readonly status: string }
  readonly controls: readonly { readonly action: string; readonly by: string }[]
}
type Http = (method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown) => Promise<{ status: number; body: unknown }>

/** What suites do with runs, however the system is reached. */
const clientOf = (http: Http) => {
  const show = async (runId: string): Promise<Run> => (await http('GET', `/v1/runs/${runId}`)).body as Run // what tracing answers
  return {
    show,
    start: async (flow: string, input: Json, more: Record<string, Json> = {}): Promise<string> => {
      const { body } = await http('POST', '/v1/runs', { flow, input, ...more })
      return (body as { runId: string }).runId
    },
    reaches: (runId: string, status: string): Promise<Run> =>
      until(`${runId} to be ${status}`, async () => {
        const run = await show(runId)
        return run.status === status ? run : undefined
      }),
    ended: (jobId: string): Promise<Record<string, unknown>> =>
      until(`job ${jobId} to end`, async () => {
        const job = (await http('GET', `/v1/jobs/${jobId}`)).body as Record<string, unknown>
        return job['status'] === 'running' ? undefined : job
      }),
  }
}

describe('control over HTTP', () => {
  let system: System
  let client: ReturnType<typeof clientOf>
  beforeAll(async () => {
    system = await openSystem({ flows })
    client = clientOf((method, path, body) => system.http(method, path, body))
  })
  afterAll(() => system.close())
  const act = (runId: string, action: string, body: unknown = { by: 'ada' }) => system.http('POST', `/v1/runs/${runId}:${action}`, body)
  const send = (runId: string, event: string, data: Json = null, id = 'e1') =>
    system.http('POST', `/v1/runs/${runId}/events`, { event, data, id, by: 'bank' })
  const payment = (order: string): Json => ({ order, amount: 12 })

  it('A10, V3, V4: an event with a key finds the run that waits for it, also when it comes first', async () => {
    const { http } = system
    const early = await http('POST', '/v1/events', { event: 'payment/confirmed', key: 'K-1', data: 'early', id: 'k1' })
    expect(early).toMatchObject({ status: 202, body: { eventId: 'k1', runId: null } })
    const [one, two] = [await client.start('shop/keyed', { order: 'K-1' }), await client.start('shop/keyed', { order: 'K-2' })]
    expect(await client.reaches(one, 'completed')).toMatchObject({ result: { output: 'early' } })
    await client.reaches(two, 'waiting')
    const sent = await until('K-2 to be found', async () => {
      const { body } = await http('POST', '/v1/events', { event: 'payment/confirmed', key: 'K-2', data: 'late', id: 'k2' })
      return (body as { runId: string | null }).runId ?? undefined
    })
    expect(sent).toBe(two)
    expect(await client.reaches(two, 'completed')).toMatchObject({ result: { output: 'late' } })
  })

  it('A10: an event goes to the step that waits for it, once', async () => {
    const runId = await client.start('shop/order', { order: 'o1' })
    await client.reaches(runId, 'waiting')
    expect((await send(runId, 'payment/confirmed', payment('other'), 'e0')).status).toBe(202)
    expect((await send(runId, 'payment/confirmed', payment('o1'))).status).toBe(202)
    const run = await client.reaches(runId, 'completed')
    expect(run.result?.output).toMatchObject({ order: 'o1', urgent: false, share: 0.5, amount: 12 })
  })

  it('F5: a paused run keeps what comes, takes a patch, and goes on with both; the journal says who', async () => {
    const runId = await client.start('shop/order', { order: 'o2' })
    await client.reaches(runId, 'waiting')
    expect(await act(runId, 'resume')).toMatchObject({ status: 409, body: { code: 'run.not_paused' } })
    expect((await act(runId, 'pause', { by: 'ada', reason: 'look first' })).status).toBe(202)
    expect((await send(runId, 'payment/confirmed', payment('o2'))).status).toBe(202)
    expect(await system.http('PATCH', `/v1/runs/${runId}`, { params: { share: 2 } })).toMatchObject({
      status: 422,
      body: { code: 'params.invalid' },
    })
    expect(await system.http('PATCH', `/v1/runs/${runId}`, { by: 'bob', input: { urgent: true }, params: { share: 0.9 } })).toMatchObject({
      status: 202,
    })
    expect((await client.reaches(runId, 'paused')).waitingFor).toContain('ada')
    await act(runId, 'resume', { by: 'eve' })
    const run = await client.reaches(runId, 'completed')
    expect(run.result?.output).toMatchObject({ order: 'o2', urgent: true, share: 0.9, amount: 12 })
    expect(run.controls.map(({ action, by }) => `${action} ${by}`)).toEqual(['resumed eve', 'patched bob', 'paused ada'])
  })

  it('L8: an ended run is run again from a step, as a run of its own that can be controlled like any other', async () => {
    const before = await client.start('shop/order', { order: 'o3' })
    await client.reaches(before, 'waiting')
    expect(await act(before, 'retry')).toMatchObject({ status: 409, body: { code: 'run.not_ended' } })
    await act(before, 'cancel', { by: 'ada', reason: 'too early' })
    expect((await client.reaches(before, 'cancelled')).controls).toMatchObject([{ action: 'cancelled', by: 'ada' }])
    expect(await act(before, 'retry', { from: 'payd' })).toMatchObject({ status: 422, body: { code: 'step.unknown' } })
    const { body } = await system.http<{ runId: string }>('POST', `/v1/runs/${before}:retry`, { by: 'ada', from: 'paid' })
    const again = await client.reaches(body.runId, 'waiting')
    expect(again.rootRunId).toBe(before)
    await send(again.runId, 'payment/confirmed', payment('o3'))
    expect((await client.reaches(again.runId, 'completed')).result?.output).toMatchObject({ order: 'o3', amount: 12 })
  })

  it('L2, A8: a flow that a step starts is the one that was pinned; a run inside a tree is controlled on the partition of its tree', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, (_, index) => client.start('shop/outer', { order: `p${index}` })))
    await Promise.all(runs.map((runId) => client.reaches(runId, 'waiting')))
    await system.http('PUT', '/v1/flows/shop/inner', { files: { 'flow.yaml': innerOf('1.1.0') } })
    for (const runId of runs) {
      await send(runId, 'go')
      const child = await until('the run that the step started', async () => {
        const { body } = await system.http<{ items: Run[] }>('GET', `/v1/runs?parent=${runId}`)
        return body.items[0]
      })
      await client.reaches(child.runId, 'waiting')
      expect(await send(child.runId, 'payment/confirmed')).toMatchObject({ status: 202 })
      expect((await client.reaches(runId, 'completed')).result?.output).toEqual({ version: '1.0.0' })
      const partition = partitionOf(runId, system.platform.bus.partitions(TOPICS.events))
      const records = await system.platform.bus.read({ topic: TOPICS.events, partition, offset: 0, limit: 10_000 })
      expect(records.filter(({ key, headers }) => key === child.runId && headers['ce_type'] === 'baton.run.event.v1')).toHaveLength(1)
    }
    const later = await client.start('shop/outer', { order: 'p9' })
    await send(later, 'go')
    const child = await until(
      'the later child',
      async () => (await system.http<{ items: Run[] }>('GET', `/v1/runs?parent=${later}`)).body.items[0],
    )
    await send(child.runId, 'payment/confirmed')
    expect((await client.reaches(later, 'completed')).result?.output).toEqual({ version: '1.1.0' })
  })

  it('F5: a tree is paused with everything in it, and goes on with everything in it', async () => {
    const runId = await client.start('shop/outer', { order: 't1' })
    await send(runId, 'go')
    const child = await until('the run that the step started', async () => {
      const { body } = await system.http<{ items: Run[] }>('GET', `/v1/runs?parent=${runId}`)
      return body.items[0]
    })
    const tree = async (action: string): Promise<void> => {
      const { body } = await system.http<{ jobId: string }>('POST', `/v1/runs:${action}`, { where: { root: runId }, by: 'ada' })
      expect(await client.ended(body.jobId)).toMatchObject({ matched: 2, done: 2 })
    }
    await client.reaches(child.runId, 'waiting')
    await tree('pause')
    await Promise.all([runId, child.runId].map((id) => client.reaches(id, 'paused')))
    await send(child.runId, 'payment/confirmed')
    await tree('resume')
    expect((await client.reaches(runId, 'completed')).result?.output).toMatchObject({ version: expect.any(String) })
  })

  it('F5: the runs of a query are paused, resumed and cancelled as jobs, each once, and counted first', async () => {
    const labels = { batch: 'q' }
    const runs = await Promise.all(Array.from({ length: 25 }, (_, index) => client.start('shop/order', { order: `q${index}` }, { labels })))
    await Promise.all(runs.map((runId) => client.reaches(runId, 'waiting')))
    const job = async (action: string, more: Record<string, unknown> = {}) => {
      const { body } = await system.http<{ jobId: string }>('POST', `/v1/runs:${action}`, {
        where: { label: 'batch:q' },
        by: 'ada',
        ratePerSecond: 500,
        ...more,
      })
      return client.ended(body.jobId)
    }
    expect(await job('cancel', { dryRun: true })).toMatchObject({ status: 'completed', matched: 25, done: 0 })
    expect(await job('pause', { limitRuns: 10 })).toMatchObject({ matched: 10, done: 10, failed: 0 })
    await until('ten runs to be paused', async () => {
      const { body } = await system.http<{ items: Run[] }>('GET', '/v1/runs?label=batch:q&status=paused')
      return body.items.length === 10 ? true : undefined
    })
    expect(await job('resume')).toMatchObject({ matched: 10, done: 10 })
    expect(await job('cancel', { reason: 'wrong batch' })).toMatchObject({ matched: 25, done: 25 })
    for (const runId of runs) await client.reaches(runId, 'cancelled')
    expect(await job('cancel')).toMatchObject({ matched: 0 })
  })
})

describe('control on the command line', () => {
  let home: Home
  let system: BatonProcess
  let client: ReturnType<typeof clientOf>
  beforeAll(async () => {
    home = await makeHome({ flows })
    system = await startBaton(home)
    client = clientOf(async (method, path, body) => {
      const headers = { 'content-type': 'application/json' }
      const reply = await fetch(`${system.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      return { status: reply.status, body: await reply.json() }
    })
  })
  afterAll(async () => {
    await system.stop(5_000)
    await home.remove()
  })

  const baton = async (...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> => {
    const { NODE_OPTIONS: _, ...env } = process.env
    const child = spawn(process.execPath, [join(root, 'cli/bin/baton.mjs'), ...args], {
      cwd: root,
      env: { ...env, BATON_URL: system.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, err, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ])
    return { code, out, err }
  }
  const waiting = async (order: string, labels: Record<string, string> = {}): Promise<string> => {
    const runId = await client.start('shop/order', { order }, { labels })
    await client.reaches(runId, 'waiting')
    return runId
  }

  it('A10, F5: a run is paused, patched, resumed and sent an event', async () => {
    const runId = await waiting('c1')
    expect(await baton('runs', 'pause', runId, '--reason', 'look')).toMatchObject({ code: 0, out: `${runId}: pausing\n` })
    expect((await baton('runs', 'patch', runId, '--input', '{"urgent":true}', '--params', '{"share":0.7}')).code).toBe(0)
    expect((await baton('runs', 'patch', runId, '--params', '{"share":7}')).err).toContain('params.invalid')
    expect((await baton('why', runId)).out).toContain(`baton runs resume ${runId}`)
    expect((await baton('runs', 'resume', runId)).code).toBe(0)
    const sent = await baton('send', runId, 'payment/confirmed', '--data', '{"order":"c1","amount":3}', '--id', 'x', '--json')
    expect(JSON.parse(sent.out)).toEqual({ runId, eventId: 'x' })
    expect((await client.reaches(runId, 'completed')).result?.output).toMatchObject({ order: 'c1', urgent: true, share: 0.7, amount: 3 })
    expect(await baton('send', runId, 'payment/confirmed')).toMatchObject({ code: 1, err: expect.stringContaining('run.ended') })
  })

  it('L8: a cancelled run is run again', async () => {
    const runId = await waiting('c2')
    expect((await baton('runs', 'cancel', runId, 'run_none', '--reason', 'twice')).code).toBe(1)
    await client.reaches(runId, 'cancelled')
    const [again] = JSON.parse((await baton('runs', 'retry', runId, '--from', 'paid', '--json')).out) as {
      runId: string
      retryOf: string
    }[]
    expect(again?.retryOf).toBe(runId)
    await client.reaches(again?.runId ?? '', 'waiting')
    expect(await baton('runs', 'retry', again?.runId ?? '')).toMatchObject({ code: 1, err: expect.stringContaining('run.not_ended') })
  })

  it('F5: many runs are counted, then cancelled as a job, over a restart of the system', async () => {
    const runs: string[] = []
    for (let index = 0; index < 12; index++) runs.push(await waiting(`m${index}`, { batch: 'm' }))
    expect(await baton('runs', 'cancel', '--label', 'batch=m', '--dry-run')).toMatchObject({
      code: 0,
      out: expect.stringContaining('12 runs match'),
    })
    expect((await baton('runs', 'cancel', '--label', 'batch=m')).code).toBe(2)
    const begun = await fetch(`${system.url}/v1/runs:cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ where: { label: 'batch:m' }, ratePerSecond: 4 }),
    })
    const { jobId } = (await begun.json()) as { jobId: string }
    await until('the job to have begun', async () => ((await baton('runs', 'jobs', jobId)).out.includes(' 0 of') ? undefined : true))
    await system.stop(10_000)
    system = await startBaton(home)
    expect(await client.ended(jobId)).toMatchObject({ status: 'completed', matched: 12, done: 12, failed: 0 })
    for (const runId of runs) await client.reaches(runId, 'cancelled')
    expect((await baton('runs', 'jobs')).out).toContain(jobId)
  })

  it('wrong use is exit 2', async () => {
    for (const args of [
      ['runs', 'cancel'],
      ['runs', 'pause', 'run_1', '--all'],
      ['runs', 'patch', 'run_1'],
      ['runs', 'jobs', '--cancel'],
      ['send', 'run_1'],
    ])
      expect([args, (await baton(...args)).code]).toEqual([args, 2])
  })
})
