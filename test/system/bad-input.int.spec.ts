// What a stranger may send must be answered with its reason, kept, and never stop those behind it (slice 4, G5, R8).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openSystem, type Published, type System } from './system.ts'

const BYTES_MAX = 4_096
const GREET = `
flow: test/greet@1.0.0
input: { name: string, times: { type: integer, min: 1, max: 3, default: 1 } }
steps:
  - reply: { set: { text: =input.name } }
output: { text: =reply.text }
`

jest.setTimeout(60_000)
const LETTER = `
flow: test/letter@1.0.0
input: { text: string, to: string }
steps:
  - said: { tool: demo/echo, with: { text: =input.text, to: =input.to } }
  - again: { tool: demo/echo, with: { text: =said.text, to: =said.to } }
output: { to: =again.to, text: =again.text }
`
const FOREIGN = `
flow: test/foreign@1.0.0
limits: { time: 1s }
input: { name: string }
results: { topic: shop.results }
steps:
  - ask: { task: nobody-made, with: { name: =input.name }, onError: next }
`
const INLINE_BYTES_MAX = 1_024

let system: System
beforeAll(async () => {
  system = await openSystem({
    flows: { 'greet/flow.yaml': GREET, 'letter/flow.yaml': LETTER, 'foreign/flow.yaml': FOREIGN },
    env: { BATON_REQUEST_BYTES_MAX: String(BYTES_MAX), BATON_INLINE_BYTES_MAX: String(INLINE_BYTES_MAX) },
  })
})
afterAll(() => system.close())

const good = (id: string, more: object = {}) => JSON.stringify({ id, flow: 'test/greet', input: { name: 'Ada' }, ...more })

/** Sends bad bytes and a good request behind them, on the same key and partition; gives the answer to the bad one. */
const answerTo = async (
  bytes: string | Buffer,
  { id, headers = {} }: { id?: string; headers?: Record<string, string> } = {},
): Promise<Published> => {
  const offset = await system.send(bytes, { key: 'same', partition: 1, headers })
  const after = `after-${offset}`
  await system.send(good(after), { key: 'same', partition: 1 })
  const [answer] = await system.results(id ?? `baton.requests/1/${offset}`)
  expect((await system.results(after))[0]).toMatchObject({ type: 'baton.run.completed.v1', result: { output: { text: 'Ada' } } })
  const letters = await system.deadLetters('gateway')
  const letter = letters.find(({ failure }) => failure.origin.offset === offset && failure.origin.partition === 1)
  expect(letter).toMatchObject({ failure: { origin: { topic: 'baton.requests' }, fault: { code: answer?.result.fault?.code } } })
  expect(letter?.value.equals(Buffer.from(bytes))).toBe(true)
  if (answer === undefined) throw new Error('no answer')
  return answer
}

describe('a request on the topic that cannot be taken (A8, H2)', () => {
  it('G5: broken JSON is rejected by its place on the topic, and its bytes are kept', async () => {
    const { type, result } = await answerTo('{"id":"order-1","flow":')
    expect(type).toBe('baton.run.rejected.v1')
    expect(result).toMatchObject({
      status: 'rejected',
      fault: { code: 'request.malformed', message: expect.stringContaining('not JSON'), detail: { field: '(root)' } },
    })
  })

  it('G5: bytes that are no text at all', async () => {
    const { result } = await answerTo(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x01]))
    expect(result.fault).toMatchObject({ code: 'request.malformed', detail: { field: '(root)' } })
  })

  it('G5: a field that misses or has the wrong type is named', async () => {
    expect((await answerTo('{"id":"no-flow","input":{}}', { id: 'no-flow' })).result).toMatchObject({
      requestId: 'no-flow',
      fault: { code: 'request.malformed', detail: { field: 'flow' } },
    })
    expect(
      (await answerTo('{"id":"bad-label","flow":"test/greet","input":{},"labels":{"a":1}}', { id: 'bad-label' })).result.fault,
    ).toMatchObject({
      code: 'request.malformed',
      detail: { field: 'labels.a' },
    })
  })

  it('G5: a flow that nobody published', async () => {
    const { result } = await answerTo('{"id":"whose","flow":"test/nobody","input":{}}', { id: 'whose' })
    expect(result).toMatchObject({
      flow: 'test/nobody',
      fault: { code: 'flow.unknown', message: expect.stringContaining('test/nobody'), detail: { field: 'flow' } },
    })
    const version = await answerTo('{"id":"which","flow":"test/greet@9.9.9","input":{}}', { id: 'which' })
    expect(version.result.fault).toMatchObject({ code: 'flow.unknown', detail: { field: 'flow' } })
  })

  it('G5: input that does not fit the schema of the flow, with the field', async () => {
    const { result } = await answerTo('{"id":"no-name","flow":"test/greet","input":{"times":2}}', { id: 'no-name' })
    expect(result.fault).toMatchObject({ code: 'input.invalid', detail: { field: 'input.name' } })
    const much = await answerTo('{"id":"much","flow":"test/greet","input":{"name":"Ada","times":9}}', { id: 'much' })
    expect(much.result.fault).toMatchObject({ code: 'input.invalid', detail: { field: 'input.times' } })
  })

  it('G5: a message above the limit, however right it is', async () => {
    const { result } = await answerTo(good('large', { input: { name: 'A'.repeat(BYTES_MAX) } }), { id: 'large' })
    expect(result.fault).toMatchObject({ code: 'request.too_large', detail: { bytesMax: BYTES_MAX } })
  })

  it('G5: a tenant that cannot be one', async () => {
    const { result } = await answerTo(good('odd-tenant', { tenant: 'No Such!' }), { id: 'odd-tenant' })
    expect(result.fault).toMatchObject({ code: 'request.malformed', detail: { field: 'tenant' } })
  })

  it('R8: many bad ones do not hold up the good one behind them, and each is kept', async () => {
    const before = (await system.deadLetters('gateway')).length
    for (let n = 0; n < 50; n += 1) await system.send(`{"bad":${n}`, { key: 'flood', partition: 2 })
    await system.send(good('behind-the-flood'), { key: 'flood', partition: 2 })
    expect((await system.results('behind-the-flood'))[0]?.result.status).toBe('completed')
    expect(await system.deadLetters('gateway')).toHaveLength(before + 50)
  })
})

describe('a request that was made before (L6, A7)', () => {
  it('R6: a repeat answers with the same result under the same id', async () => {
    const first = await system.request({ id: 'twice', flow: 'test/greet', input: { name: 'Ada' } })
    await system.send(good('twice'), { key: 'twice' })
    const [, second] = await system.results('twice', 2)
    expect(second).toEqual(first)
  })

  it('L6: the same id with another body is rejected, and the first result stands', async () => {
    const first = await system.request({ id: 'conflict', flow: 'test/greet', input: { name: 'Ada' } })
    const other = good('conflict', { input: { name: 'Eve' } })
    await system.send(other, { key: 'conflict' })
    const [, second] = await system.results('conflict', 2)
    expect(second).toMatchObject({
      type: 'baton.run.rejected.v1',
      result: { fault: { code: 'request.conflicting', detail: { field: 'id' } } },
    })
    expect(second?.result.runId).not.toBe(first.result.runId)
    await system.send(good('conflict'), { key: 'conflict' })
    const [, , third] = await system.results('conflict', 3)
    expect(third).toEqual(first)
  })
})

describe('the same over HTTP', () => {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    system.http('POST', '/v1/runs?wait=20s', body, { 'content-type': 'application/json', ...headers })

  it('H2: each is a problem naming code and field, and the next request is served', async () => {
    expect(await post('{"flow":')).toMatchObject({ status: 400, body: { code: 'request.malformed' } })
    expect(await post({ input: {} })).toMatchObject({ status: 400, body: { code: 'request.malformed', field: 'flow' } })
    expect(await post({ flow: 'test/nobody', input: {} })).toMatchObject({ status: 404, body: { code: 'flow.unknown', field: 'flow' } })
    expect(await post({ flow: 'test/greet', input: {} })).toMatchObject({
      status: 422,
      body: { code: 'input.invalid', field: 'input.name' },
    })
    expect(await post({ flow: 'test/greet', input: { name: 'A'.repeat(BYTES_MAX) } })).toMatchObject({
      status: 413,
      body: { code: 'request.too_large' },
    })
    expect(await post({ flow: 'test/greet', input: { name: 'Ada' } })).toMatchObject({
      status: 200,
      body: { status: 'completed', output: { text: 'Ada' } },
    })
  })

  it('R6, L6: an Idempotency-Key makes repeats answer the same and conflicts a problem', async () => {
    const once = { 'idempotency-key': 'http-1' }
    const body = { flow: 'test/greet', input: { name: 'Ada' } }
    const first = await post(body, once)
    expect(first).toMatchObject({ status: 200, body: { requestId: 'http-1', output: { text: 'Ada' } } })
    expect(await post(body, once)).toEqual(first)
    expect(await post({ ...body, input: { name: 'Eve' } }, once)).toMatchObject({
      status: 409,
      body: { code: 'request.conflicting', field: 'id' },
    })
  })
})

describe('what is unusual and right', () => {
  it('input above the inline limit travels by reference, and is whole where it is used and read', async () => {
    const text = 'A'.repeat(2 * INLINE_BYTES_MAX)
    const { result } = await system.request({ id: 'long-letter', flow: 'test/letter', input: { text, to: 'Ada' } })
    expect(result).toMatchObject({
      status: 'completed',
      output: { to: 'Ada', text: { $payload: { mediaType: 'application/json' }, at: ['text'] } },
    })
    const { sha256 } = (result.output as { text: { $payload: { sha256: string } } }).text.$payload
    const { status, body } = await system.http('GET', `/v1/runs/${result.runId}/payloads/${sha256}`)
    expect([status, body]).toEqual([200, { text, to: 'Ada' }])
  })

  it('R8: a flow that names topics nobody made holds up no partition; its records are dead letters to be redriven', async () => {
    const foreign = Array.from({ length: 6 }, (_, n) => `foreign-${n}`)
    const results = await Promise.all(
      foreign.flatMap((id) => [
        system.request({ id, flow: 'test/foreign', input: { name: id } }),
        system.request({ id: `beside-${id}`, flow: 'test/greet', input: { name: 'Ada' } }),
      ]),
    )
    const codes = results.map(({ result }) => result.fault?.code ?? result.status)
    expect(new Set(codes)).toEqual(new Set(['limit.time_exceeded', 'completed']))
    const letters = await system.deadLetters('routing')
    expect(new Set(letters.map(({ failure }) => failure.origin.topic))).toEqual(new Set(['baton.tasks.nobody-made', 'shop.results']))
  })
})
