import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createClient } from './client.ts'

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
})
