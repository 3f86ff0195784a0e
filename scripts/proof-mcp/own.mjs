// Our own server, the support store: both eras, both transports, effects once, and a question that survives client and server.
import { DatabaseSync } from 'node:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer, askedBy, codeOf, openClient, startListening, SUPPORT } from './client.mjs'

const RULES = { create_ticket: { effect: 'write', idempotent: true }, refund: { effect: 'irreversible', idempotent: true } }

const counted = (file, table) => {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare(`select count(*) as n from ${table}`).get().n
  } finally {
    db.close()
  }
}

const listening = (file) =>
  startListening([SUPPORT, '--data', file, '--http', '0'], { env: { SUPPORT_TOKEN: 'proof-token' }, ready: /listening on (\S+)/ })

/** A way to reach the store: `open` gives a source and a way to end its server. */
const ways = (client, file) =>
  ['legacy', 'modern'].flatMap((protocol) => [
    {
      label: `support store, stdio, ${protocol}`,
      open: async () => {
        const source = client.open({ crm: { command: 'node', args: [SUPPORT, '--data', file], protocol, elicitation: true, tools: RULES } })
        return { source, end: () => source.close() }
      },
    },
    {
      label: `support store, http, ${protocol}`,
      open: async () => {
        const server = await listening(file)
        const auth = { bearer: { env: 'PROOF_SUPPORT_TOKEN' } }
        const source = client.open({ crm: { url: server.found[1], auth, protocol, elicitation: protocol === 'modern', tools: RULES } })
        return { source, end: async () => (await source.close(), await server.close()) }
      },
      // Without a session the old era over HTTP has no way back to the client, so nothing can be asked.
      silent: protocol === 'legacy',
    },
  ])

const proveWay = async (client, check, { label, open, silent }, file, n) => {
  const first = await open()
  const customer = await client.call(first.source, 'crm/customer', { id: 'c-1' })
  check(`${label}: a customer`, 'Ada Winter', customer.name, customer.name === 'Ada Winter')
  const before = counted(file, 'tickets')
  const more = { effectKey: `run-${n}/ticket/0` }
  const [one, two] = [
    await client.call(first.source, 'crm/create_ticket', { text: 'broken' }, more),
    await client.call(first.source, 'crm/create_ticket', { text: 'broken' }, more),
  ]
  check(
    `${label}: the same effect twice is there once`,
    '1 ticket',
    `${counted(file, 'tickets') - before} ticket, ${one.ticket}`,
    one.ticket === two.ticket && counted(file, 'tickets') - before === 1,
  )
  if (silent === true) return first.end()
  const key = { effectKey: `run-${n}/refund/0` }
  const refunds = counted(file, 'refunds')
  const ask = await askedBy(client.call(first.source, 'crm/refund', { customer: 'c-2', amount: 75 }, key))
  await first.end()
  const second = await open()
  const refund = await client.call(
    second.source,
    'crm/refund',
    { customer: 'c-2', amount: 75 },
    { ...key, ...answer(ask, 'respond', { reason: 'arrived broken' }) },
  )
  const again = await client.call(
    second.source,
    'crm/refund',
    { customer: 'c-2', amount: 75 },
    { ...key, ...answer(ask, 'respond', { reason: 'arrived broken' }) },
  )
  const made = counted(file, 'refunds') - refunds
  check(
    `${label}: a question survives client and server; one refund`,
    '1 refund',
    `${made} refund, ${refund.reason}`,
    made === 1 && refund.refund === again.refund,
  )
  if (label.endsWith('modern')) {
    const tampered = { ...ask, state: { mcp: { ...ask.state.mcp, requestState: `${ask.state.mcp.requestState}x` } } }
    const args = { customer: 'c-2', amount: 75 }
    const code = await codeOf(
      client.call(second.source, 'crm/refund', args, {
        effectKey: `run-${n}/x/0`,
        ...answer(tampered, 'respond', { reason: 'arrived broken' }),
      }),
    )
    const kept = counted(file, 'refunds') - refunds
    check(
      `${label}: a state that was tampered with is refused`,
      'tool.failed, 1 refund',
      `${code}, ${kept} refund`,
      code === 'tool.failed' && kept === 1,
    )
  }
  await second.end()
}

export const run = async (check) => {
  const client = await openClient()
  const dir = mkdtempSync(join(tmpdir(), 'baton-proof-mcp-'))
  const file = join(dir, 'crm.sqlite')
  process.env.PROOF_SUPPORT_TOKEN = 'proof-token'
  try {
    for (const [n, way] of ways(client, file).entries()) await proveWay(client, check, way, file, n)
    const server = await listening(file)
    process.env.PROOF_SUPPORT_TOKEN = 'wrong-token'
    const source = client.open({ crm: { url: server.found[1], auth: { bearer: { env: 'PROOF_SUPPORT_TOKEN' } } } })
    const code = await codeOf(client.call(source, 'crm/customer', { id: 'c-1' }))
    check('support store, http: a wrong token', 'tool.denied', code, code === 'tool.denied')
    await source.close()
    await server.close()
  } finally {
    await client.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
