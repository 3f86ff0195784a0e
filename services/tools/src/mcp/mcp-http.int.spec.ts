import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ask } from '@baton/contracts'
import { AsksPerson } from '../tool.ts'
import type { McpSource } from './mcp-source.ts'
import { answerTo, openTestMcp, type TestMcp } from './testing/fixture.ts'
import { openOAuthServer, openOddHttp, type TestHttp } from './testing/http-servers.ts'

const SUPPORT = fileURLToPath(new URL('../../../../examples/mcp-support/server.mjs', import.meta.url))
let mcp: TestMcp
let dir: string
beforeAll(async () => {
  mcp = await openTestMcp()
  dir = await mkdtemp(join(tmpdir(), 'baton-mcp-http-'))
}, 60_000)
afterAll(async () => {
  await mcp.close()
  await rm(dir, { recursive: true, force: true })
})
const open: { close: () => Promise<void> }[] = []
const opened = <T extends { close: () => Promise<void> }>(what: T): T => {
  open.unshift(what)
  return what
}
afterEach(async () => {
  for (const what of open.splice(0)) await what.close()
})
const sourceOf = (name: string, body: string): McpSource => opened(mcp.open(`mcp: { servers: { ${name}: { ${body} } } }`))

type Support = { readonly url: string; readonly close: () => Promise<void> }
const startSupport = async (token: string): Promise<Support> => {
  const args = [SUPPORT, '--data', join(dir, 'crm.sqlite'), '--http', '0']
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, SUPPORT_TOKEN: token },
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.on('data', (piece: Buffer) => {
      const found = /http:\S+/.exec(piece.toString())
      if (found !== null) resolve(found[0])
    })
    child.once('exit', () => reject(new Error('the example server ended')))
  })
  const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  return opened({ url, close })
}

const faultOf = async (call: Promise<unknown>): Promise<{ code: string; certain: boolean; message: string }> => {
  try {
    await call
  } catch (error) {
    const failure = error as { fault?: { code: string; message: string }; certain?: boolean; code?: string; message: string }
    if (failure.fault === undefined) return { code: failure.code ?? 'none', certain: true, message: failure.message }
    return { code: failure.fault.code, certain: failure.certain === true, message: failure.fault.message }
  }
  return { code: 'none', certain: false, message: '' }
}
const askedBy = async (call: Promise<unknown>): Promise<Ask> => {
  try {
    await call
  } catch (error) {
    if (error instanceof AsksPerson) return error.ask
    throw error
  }
  throw new Error('nobody was asked')
}

describe('the support store over HTTP', () => {
  it('V1, W2, N3: takes a bearer token by reference, structured content, resources and prompts', async () => {
    process.env['BATON_TEST_CRM_TOKEN'] = 'secret-value-of-the-crm'
    const { url } = await startSupport('secret-value-of-the-crm')
    const source = sourceOf('crm', `url: "${url}", auth: { bearer: { env: BATON_TEST_CRM_TOKEN } }`)
    expect(await mcp.call(source, 'crm/customer', { id: 'c-1' })).toEqual({ name: 'Ada Winter', plan: 'gold', openTickets: [] })
    expect(await mcp.call(source, 'crm/resource.read', { uri: 'crm://customers' })).toMatchObject({ text: expect.stringContaining('Ada') })
    expect(await mcp.call(source, 'crm/resource.list')).toMatchObject({ resources: [{ uri: 'crm://customers' }] })
    expect(await mcp.call(source, 'crm/prompt.list')).toMatchObject({ prompts: [{ name: 'answer-customer' }] })
    expect(await mcp.call(source, 'crm/prompt.get', { name: 'answer-customer', arguments: { name: 'Ada' } })).toMatchObject({
      messages: [{ role: 'user', content: { text: expect.stringContaining('Ada') } }],
    })
    process.env['BATON_TEST_CRM_TOKEN'] = 'another-secret'
    const wrong = sourceOf('crm', `url: "${url}", auth: { bearer: { env: BATON_TEST_CRM_TOKEN } }`)
    const fault = await faultOf(mcp.call(wrong, 'crm/customer', { id: 'c-1' }))
    expect(fault).toMatchObject({ code: 'tool.denied', certain: true })
    expect(`${fault.message}${mcp.logged.join('')}`).not.toContain('another-secret')
    delete process.env['BATON_TEST_CRM_TOKEN']
  }, 30_000)

  it('C2, C4: a question survives the server and the client; the effect is there once', async () => {
    const first = await startSupport('')
    const ask = await askedBy(mcp.call(sourceOf('crm', `url: "${first.url}"`), 'crm/refund', { customer: 'c-1', amount: 80 }))
    expect(JSON.stringify(ask.state)).toContain('requestState')
    await first.close()
    const second = await startSupport('')
    const answered = answerTo(ask.state, 'respond', { reason: 'arrived broken' })
    const again = sourceOf('crm', `url: "${second.url}"`)
    const refund = await mcp.call(again, 'crm/refund', { customer: 'c-1', amount: 80 }, { answered })
    expect(refund).toMatchObject({ amount: 80, reason: 'arrived broken' })
    // A redelivery of the same command: the key is the same, and so is the refund.
    expect(await mcp.call(again, 'crm/refund', { customer: 'c-1', amount: 80 }, { answered })).toEqual(refund)
    // Another call with the sealed state of this one is refused.
    expect(await askedBy(mcp.call(again, 'crm/refund', { customer: 'c-1', amount: 5_000 }, { answered }))).toMatchObject({
      kind: 'question',
    })
  }, 30_000)
})

describe('OAuth', () => {
  let server: TestHttp
  const secret = 'the-client-secret-itself'
  const auth = (url: string): string => `{ clientId: baton, clientSecret: { env: BATON_TEST_OAUTH }, issuer: "${url}" }`

  it('C2: gets a token with client credentials, for the pinned issuer', async () => {
    process.env['BATON_TEST_OAUTH'] = secret
    server = opened(await openOAuthServer(secret))
    const source = sourceOf('who', `url: "${server.url}/mcp", auth: ${auth(server.url)}`)
    expect(await mcp.call(source, 'who/whoami')).toEqual({ text: 'Bearer given-token' })
  })

  it('C2: shows the secret to nobody else', async () => {
    process.env['BATON_TEST_OAUTH'] = secret
    server = opened(await openOAuthServer(secret))
    const source = sourceOf('who', `url: "${server.url}/mcp", auth: ${auth('https://issuer.example')}`)
    expect((await faultOf(mcp.call(source, 'who/whoami'))).code).toMatch(/^tool\.(unreachable|denied)$/)
    expect(server.seen.filter(({ path }) => path === '/token')).toEqual([])
    expect(mcp.logged.join('')).not.toContain(secret)
  })

  it('M2: a tenant calls with credentials of its own', async () => {
    process.env['BATON_TEST_OAUTH'] = secret
    process.env['BATON_TEST_ACME'] = 'given-token'
    server = opened(await openOAuthServer(secret))
    const source = sourceOf(
      'who',
      `url: "${server.url}/mcp", auth: ${auth(server.url)}, tenants: { acme: { auth: { bearer: { env: BATON_TEST_ACME } } } }`,
    )
    await mcp.call(source, 'who/whoami', {}, { tenant: 'acme' })
    expect((await source.store.find({ server: 'who' })).map(({ principal }) => principal)).toEqual(['', 'acme'])
  })
})

describe('servers that do what they should not, over HTTP', () => {
  it.each([
    ['huge', 'tool.unreachable', false],
    ['huge-event', 'tool.unreachable', false],
    ['flood', 'tool.unreachable', false],
    ['broken-json', 'tool.unreachable', false],
    ['failing', 'tool.unreachable', false],
    ['busy', 'tool.rate_limited', true],
    ['elsewhere', 'tool.unreachable', false],
    ['hang', 'tool.timed_out', false],
    ['cut', 'tool.unreachable', false],
  ])(
    'B1, B2: %s ends in %s',
    async (tool, code, certain) => {
      const server = opened(await openOddHttp())
      const source = sourceOf('odd', `url: "${server.url}", timeout: 2s`)
      expect(await faultOf(mcp.call(source, `odd/${tool}`))).toMatchObject({ code, certain })
      expect(await mcp.call(source, 'odd/ok')).toEqual({ text: 'fine' })
    },
    20_000,
  )

  it('L6: a session that the server forgot is begun again, and nobody notices', async () => {
    const server = opened(await openOddHttp())
    const source = sourceOf('odd', `url: "${server.url}"`)
    expect(await mcp.call(source, 'odd/forget')).toEqual({ text: 'forgotten' })
    expect(await mcp.call(source, 'odd/ok')).toEqual({ text: 'fine' })
  })

  it('L2: is not there: certainly nothing happened', async () => {
    const source = sourceOf('gone', 'url: "http://127.0.0.1:9/mcp"')
    expect(await faultOf(source.find('gone/x'))).toMatchObject({ code: 'tool.unreachable' })
  })
})
