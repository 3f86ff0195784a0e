import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createClient } from './client.ts'
import { typedFlow } from './flow-types.ts'

let server: Server | undefined
const serve = async (answer: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<string> => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

describe('client', () => {
  it('starts a run with the request id as idempotency key and returns its result', async () => {
    const seen: string[] = []
    const url = await serve((request, response, body) => {
      seen.push(`${request.method} ${request.url} ${String(request.headers['idempotency-key'])} ${body}`)
      response.writeHead(200).end('{"requestId":"q1","runId":"run_1","status":"completed"}')
    })
    const outcome = await createClient({ url }).run({ id: 'q1', flow: 'a/b', input: 1 }, { waitMs: 5_000 })
    expect(outcome).toMatchObject({ ended: true, result: { runId: 'run_1' } })
    expect(seen).toEqual(['POST /v1/runs?wait=5000ms q1 {"id":"q1","flow":"a/b","input":1}'])
  })
  it('says that a run goes on when the wait was not enough', async () => {
    const url = await serve((_request, response) => response.writeHead(202).end('{"runId":"run_1","requestId":"q1","repeat":false}'))
    expect(await createClient({ url }).run({ flow: 'a/b', input: 1 }, { waitMs: 10 })).toEqual({
      ended: false,
      run: { runId: 'run_1', requestId: 'q1', repeat: false },
    })
  })
  it('K1: turns a problem into its fault, with the facts', async () => {
    const url = await serve((_request, response) =>
      response
        .writeHead(422, { 'content-type': 'application/problem+json' })
        .end('{"code":"input.invalid","detail":"input.text is required","status":422,"field":"input.text"}'),
    )
    await expect(createClient({ url }).show('run_1')).rejects.toMatchObject({
      code: 'input.invalid',
      message: 'input.text is required',
      detail: { field: 'input.text' },
    })
  })
  it('K1: turns silence into a fault that says what to do', async () => {
    await expect(createClient({ url: 'http://127.0.0.1:9' }).runs()).rejects.toMatchObject({ code: 'bus.unavailable' })
  })
  it('reads server-sent events as they come', async () => {
    const url = await serve((_request, response) => {
      response.write('id: 1\nevent: baton.journal.run.started.v1\ndata: {"seq":0}\n\n: still here\n\nid: 2\nevent: x\nda')
      response.end('ta: {"seq":1}\n\n')
    })
    const events = []
    for await (const event of createClient({ url }).events('run_1')) events.push(event)
    expect(events).toEqual([
      { id: '1', event: 'baton.journal.run.started.v1', data: { seq: 0 } },
      { id: '2', event: 'x', data: { seq: 1 } },
    ])
  })

  it('R1, R2: asks again under the same id until the server is back, and gives the result of the one run', async () => {
    const ids: string[] = []
    const url = await serve((request, response, body) => {
      ids.push((JSON.parse(body) as { id: string }).id)
      if (ids.length === 1) response.writeHead(503).end()
      else if (request.url === '/v1/runs') response.writeHead(202).end(`{"runId":"run_1","requestId":"${ids[0] ?? ''}","repeat":false}`)
      else if (ids.length === 3) response.destroy()
      else response.writeHead(200).end('{"requestId":"q","runId":"run_1","status":"completed","output":{"text":"hello"}}')
    })
    const run = await createClient({ url }).request(typedFlow<{ text: string }, { text: string }>('a/b'), { text: 'x' })
    const result = await run.result({ timeoutMs: 5_000 })
    expect(result?.status === 'completed' ? result.output.text : undefined).toBe('hello')
    expect([new Set(ids).size, ids.length, run.requestId]).toEqual([1, 4, ids[0]])
  })
  it('R2: a mistake in the request is told at once', async () => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked += 1
      response.writeHead(422, { 'content-type': 'application/problem+json' }).end('{"code":"input.invalid","detail":"no","status":422}')
    })
    await expect(createClient({ url }).request(typedFlow('a/b'), 1)).rejects.toMatchObject({ code: 'input.invalid' })
    expect(asked).toBe(1)
  })
  it('a run that has not ended in time has no result, and can be asked again', async () => {
    const url = await serve((_request, response) => response.writeHead(202).end('{"runId":"run_1","requestId":"q1","repeat":false}'))
    const run = await createClient({ url }).request(typedFlow('a/b'), 1, { id: 'q1' })
    expect(await run.result({ timeoutMs: 30 })).toBeUndefined()
  })
  it('E1, E2: follows a run over lost connections, each event once, and ends with it', async () => {
    const behind: unknown[] = []
    const event = (n: number, type = 'baton.journal.step.completed.v1'): string => `id: ${n}\nevent: ${type}\ndata: {"seq":${n}}\n\n`
    const url = await serve((request, response) => {
      behind.push(request.headers['last-event-id'])
      response.write(': here\n\n')
      if (behind.length === 1) response.write(event(1) + event(2), () => setTimeout(() => response.destroy(), 20))
      else if (behind.length === 2) response.end(event(3))
      else response.end(event(4, 'baton.journal.run.ended.v1') + event(5))
    })
    const seen: string[] = []
    for await (const { id } of createClient({ url }).follow('run_1')) seen.push(id)
    expect(seen).toEqual(['1', '2', '3', '4'])
    expect(behind).toEqual([undefined, '2', '3'])
  })
  it('E2: a server that stays away is a fault, and a signal ends it without one', async () => {
    const gone = createClient({ url: 'http://127.0.0.1:9' })
    const all = async (options: { patienceMs?: number; signal?: AbortSignal }): Promise<number> => {
      let seen = 0
      for await (const _ of gone.follow('run_1', options)) seen += 1
      return seen
    }
    await expect(all({ patienceMs: 50 })).rejects.toMatchObject({ code: 'bus.unavailable' })
    expect(await all({ signal: AbortSignal.timeout(50) })).toBe(0)
  })
})
