// Calls that cannot be undone, through the whole system: asked for, decided over HTTP, made once or not at all (C5, E1).
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Json } from '@baton/contracts'
import { makeHome, openAt, until, type Home, type System } from './system.ts'

const FLOW = `
flow: test/charge@1.0.0
params: { chargeMax: { type: number, default: 100 } }
input: { account: string, amount: number }
steps:
  - pay: { tool: payments/charge, with: { account: =input.account, amount: =input.amount, currency: EUR } }
output: { payment: =pay.payment, amount: =pay.amount }
`
const TOOLS = 'rules:\n  - { tools: payments/*, require: args.amount <= params.chargeMax, queue: finance, sla: 10m }\n'

type Review = {
  readonly taskId: string
  readonly runId: string
  readonly title: string
  readonly input: Json
  readonly fingerprint: string
  readonly allowed: readonly string[]
}

jest.setTimeout(60_000)
let home: Home
let system: System
beforeAll(async () => {
  home = await makeHome({ flows: { 'charge/flow.yaml': FLOW } })
  await writeFile(join(home.configDir, 'tools.yaml'), TOOLS)
  system = await openAt(home)
})
afterAll(async () => {
  await system.close()
  await home.remove()
})

const begin = async (account: string, amount = 12): Promise<void> => {
  const { status } = await system.http('POST', '/v1/runs', { id: account, flow: 'test/charge', input: { account, amount } })
  expect(status).toBe(202)
}
const reviewOf = (account: string): Promise<Review> =>
  until(`the question about ${account}`, async () => {
    const { items } = (await system.http<{ items: readonly Review[] }>('GET', '/v1/reviews?queue=finance')).body
    for (const { taskId } of items) {
      const { body } = await system.http<Review>('GET', `/v1/reviews/${taskId}`)
      if (JSON.stringify(body.input).includes(`"${account}"`)) return body
    }
    return undefined
  })
const decide = (review: Review, body: Readonly<Record<string, Json>>) =>
  system.http('POST', `/v1/reviews/${review.taskId}:decide`, { by: 'ann', fingerprint: review.fingerprint, ...body })
const charged = async (account: string): Promise<readonly number[]> => {
  const { rows } = await system.platform.db.query<{ cents: string }>('select cents from payments where account = $1', [account])
  return rows.map(({ cents }) => Number(cents) / 100)
}

describe('a call that cannot be undone', () => {
  it('V1, R9: is shown to a person as it would be made, waits over a restart of everything, and is made once after a yes', async () => {
    await begin('a-1')
    const before = await reviewOf('a-1')
    expect(before).toMatchObject({
      title: 'Approve payments/charge',
      input: { draft: { account: 'a-1', amount: 12, currency: 'EUR' }, tool: 'payments/charge', step: 'pay' },
      allowed: ['approve', 'edit', 'reject'],
    })
    expect(await charged('a-1')).toEqual([])
    await system.close()
    system = await openAt(home)
    const review = await reviewOf('a-1')
    expect(review.fingerprint).toBe(before.fingerprint)
    expect(await decide(review, { verdict: 'approve' })).toMatchObject({ status: 200 })
    const [result] = await system.results('a-1')
    expect(result?.result).toMatchObject({ status: 'completed', output: { amount: 12 } })
    expect(await charged('a-1')).toEqual([12])
  })

  it('V2: is made with what the person wrote, where the rules allow that', async () => {
    await begin('a-2')
    const review = await reviewOf('a-2')
    expect(await decide(review, { verdict: 'edit', output: { account: 'a-2', amount: 7, currency: 'EUR' } })).toMatchObject({ status: 200 })
    const [result] = await system.results('a-2')
    expect(result?.result).toMatchObject({ status: 'completed', output: { amount: 7 } })
    expect(await charged('a-2')).toEqual([7])
    await begin('a-3')
    expect(
      await decide(await reviewOf('a-3'), { verdict: 'edit', output: { account: 'a-3', amount: 700, currency: 'EUR' } }),
    ).toMatchObject({ status: 200 })
    const [denied] = await system.results('a-3')
    expect(denied?.result).toMatchObject({ status: 'failed', fault: { code: 'tool.denied' } })
    expect(await charged('a-3')).toEqual([])
  })

  it('V3: is not made after a no, and the run says who said it', async () => {
    await begin('a-4')
    expect(await decide(await reviewOf('a-4'), { verdict: 'reject', reason: 'Not this account.' })).toMatchObject({ status: 200 })
    const [result] = await system.results('a-4')
    expect(result?.result).toMatchObject({
      status: 'failed',
      fault: { code: 'approval.refused', message: expect.stringContaining('Not this account.') },
    })
    expect(await charged('a-4')).toEqual([])
  })

  it('X6: is only said in a dry run: nobody is asked and nothing is made', async () => {
    await system.http('POST', '/v1/runs', { id: 'a-6', flow: 'test/charge', input: { account: 'a-6', amount: 12 }, mode: 'dry_run' })
    const [result] = await system.results('a-6')
    expect(result?.result).toMatchObject({ status: 'completed', output: { payment: '', amount: 0 } })
    expect(await charged('a-6')).toEqual([])
  })

  it('M2: is denied before anybody is asked where a rule forbids it', async () => {
    await begin('a-5', 500)
    const [result] = await system.results('a-5')
    expect(result?.result).toMatchObject({ status: 'failed', fault: { code: 'tool.denied' } })
  })
})
