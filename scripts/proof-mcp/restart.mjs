// The whole system in one process (`baton up`): a tool asks a person in the middle of a call, the process is killed with SIGKILL while the
// question is open, another one takes its place, the person answers, the run ends, and the effect is there once. In the new era (the
// state of the server is parked), in the old one (the call is made again and answered at once), and behind an approval.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { startBaton, until } from '../../test/proof/system.mjs'
import { MISBEHAVING, SUPPORT } from './client.mjs'

const flow = (name, tool, input) => `
flow: proof/${name}@1.0.0
limits: { time: 120s, total: 1h }
input: { ${input.map(([field, type]) => `${field}: ${type}`).join(', ')} }
steps:
  - paid: { tool: ${tool}, effect: write, with: { ${input.map(([field]) => `${field}: =input.${field}`).join(', ')} }, timeout: 20s }
output: { paid: =paid }
`
const CRM = [
  ['customer', 'string'],
  ['amount', 'number'],
]

const makeHome = (dir) => {
  const [flows, config, data] = ['flows', 'config', 'data'].map((name) => join(dir, name))
  const write = (path, text) => (mkdirSync(join(path, '..'), { recursive: true }), writeFileSync(path, text))
  write(join(flows, 'new', 'flow.yaml'), flow('new', 'crm/refund', CRM))
  write(join(flows, 'old', 'flow.yaml'), flow('old', 'odd/refund', [['amount', 'number']]))
  write(join(flows, 'approved', 'flow.yaml'), flow('approved', 'bank/refund', CRM))
  write(join(config, 'models.yaml'), 'models: {}\n')
  write(join(config, 'tools.known.json'), JSON.stringify({ tools: ['crm/refund', 'odd/refund', 'bank/refund'] }))
  const file = join(dir, 'crm.sqlite')
  const effects = join(dir, 'effects')
  const support = { command: 'node', args: [SUPPORT, '--data', file], protocol: 'modern', trusted: true }
  const servers = {
    crm: { ...support, tools: { refund: { effect: 'write', idempotent: true } } },
    bank: { ...support, tools: { refund: { effect: 'irreversible', idempotent: true } } },
    odd: { command: 'node', args: [MISBEHAVING, '--effects', effects], elicitation: true, tools: { refund: { effect: 'write' } } },
  }
  write(join(config, 'tools.yaml'), JSON.stringify({ mcp: { servers } }))
  const refunds = () => {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      return db.prepare('select customer, amount, reason from refunds').all()
    } finally {
      db.close()
    }
  }
  const lines = () =>
    readFileSync(effects, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  return {
    args: ['--data', data, '--port', '0'],
    env: { BATON_FLOWS_DIR: flows, BATON_CONFIG_DIR: config, BATON_EVENTS_PARTITIONS: '2' },
    refunds,
    lines,
  }
}

const request = async (url, path, body) => {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`${url}${path}`, body === undefined ? {} : post)
  const answer = await response.json()
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer).slice(0, 300)}`)
  return answer
}

export const run = async (check) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-proof-mcp-'))
  const { args, env, refunds, lines } = makeHome(dir)
  let baton = await startBaton(args, { env })
  const url = () => baton.urls.gateway
  const restart = async () => {
    await baton.kill('SIGKILL')
    baton = await startBaton(args, { env })
  }
  const reviewOf = (runId) =>
    until(`a question of ${runId}`, async () => {
      const { items } = await request(url(), '/v1/reviews')
      const found = items.find((item) => item.runId === runId)
      return found === undefined ? undefined : request(url(), `/v1/reviews/${found.taskId}`)
    })
  const decide = (taskId, body) => request(url(), `/v1/reviews/${taskId}:decide`, { by: 'ada', ...body })
  const ended = (runId) =>
    until(`the end of ${runId}`, async () => {
      const seen = await request(url(), `/v1/runs/${runId}`)
      return ['succeeded', 'completed', 'failed', 'cancelled'].includes(seen.status) ? seen : undefined
    })
  const outputOf = ({ result, fault, status }) => JSON.stringify(result?.output?.paid ?? fault ?? status)
  try {
    const begin = async (name, input) => (await request(url(), '/v1/runs', { id: `proof-${name}`, flow: `proof/${name}`, input })).runId
    const began = {
      new: await begin('new', { customer: 'c-1', amount: 80 }),
      old: await begin('old', { amount: 90 }),
      approved: await begin('approved', { customer: 'c-2', amount: 95 }),
    }
    const asked = { new: await reviewOf(began.new), old: await reviewOf(began.old), approved: await reviewOf(began.approved) }
    const kinds = Object.values(asked).map(({ kind, terms }) => kind ?? terms?.kind)
    check('restart: questions are reviews', 'question, question, approval', kinds.join(', '), kinds.join() === 'question,question,approval')
    await restart()
    check('restart: nothing was refunded meanwhile', '0 refunds', `${refunds().length} refunds`, refunds().length === 0)

    await decide(asked.new.taskId, { verdict: 'respond', output: { reason: 'arrived broken' } })
    const fresh = await ended(began.new)
    check('restart, new era: the run ends with the answer', 'arrived broken', outputOf(fresh), outputOf(fresh).includes('arrived broken'))
    check(
      'restart, new era: the effect is there once',
      '1',
      refunds().filter(({ amount }) => amount === 80).length,
      refunds().filter(({ amount }) => amount === 80).length === 1,
    )

    await decide(asked.old.taskId, { verdict: 'respond', output: { reason: 'never came' } })
    const old = await ended(began.old)
    check('restart, old era: the run ends with the answer', 'never came', outputOf(old), outputOf(old).includes('never came'))
    check('restart, old era: the effect is there once', '1', lines().length, lines().length === 1)

    await decide(asked.approved.taskId, { verdict: 'approve' })
    const question = await until('the question behind the approval', async () => {
      const found = await reviewOf(began.approved)
      return found.taskId === asked.approved.taskId ? undefined : found
    })
    await restart()
    await decide(question.taskId, { verdict: 'respond', output: { reason: 'both said yes' } })
    const approved = await ended(began.approved)
    check(
      'restart, behind an approval: the run ends with the answer',
      'both said yes',
      outputOf(approved),
      outputOf(approved).includes('both said yes'),
    )
    check(
      'restart, behind an approval: the effect is there once',
      '1',
      refunds().filter(({ amount }) => amount === 95).length,
      refunds().filter(({ amount }) => amount === 95).length === 1,
    )

    // Killed while the answer is on its way: the refund is there once all the same.
    const delaysMs = [0, 15, 40, 90, 160]
    for (const [n, delayMs] of delaysMs.entries()) {
      const { runId } = await request(url(), '/v1/runs', {
        id: `proof-killed-${n}`,
        flow: 'proof/new',
        input: { customer: 'c-3', amount: 200 + n },
      })
      const review = await reviewOf(runId)
      await decide(review.taskId, { verdict: 'respond', output: { reason: 'killed' } })
      await pause(delayMs)
      await restart()
      await ended(runId)
    }
    const killed = refunds().filter(({ amount }) => amount >= 200)
    check(
      `restart, killed ${delaysMs.join(', ')} ms after the answer`,
      '5 refunds',
      `${killed.length} refunds`,
      killed.length === 5 && new Set(killed.map(({ amount }) => amount)).size === 5,
    )
  } finally {
    await baton.kill('SIGTERM')
    rmSync(dir, { recursive: true, force: true })
  }
}
