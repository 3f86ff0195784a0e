// A rule of configuration brings a person in: what a model is not sure of waits for them, what it is sure of goes on and is sampled.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeHome, openAt, until, type Home, type System } from './system.ts'

const FLOW = `
flow: test/sort@1.0.0
input: { text: string }
steps:
  - sorted:
      model: card-rules
      prompt: "{{ text }}"
      with: { text: =input.text }
      returns: { about: string, confidence: 0..1 }
output: { about: =sorted.about, by: =sorted.by }
`
const MODELS = `models:
  card-rules: { provider: rules, rules: sort/rules.yaml }
routes: { default: [card-rules] }
`
const RULES = `field: text
rules:
  - { keywords: [refund], score: 0.9, value: { about: refund } }
else: { about: other, confidence: 0.3 }
`
const POLICIES = `review:
  - { rule: unsure, flow: test/sort, confidenceBelow: 0.5, need: { queue: sorting, sla: 10m } }
  - { rule: labels, sample: 100%, need: { queue: labels } }
`
type Task = { readonly taskId: string; readonly runId: string; readonly terms: { readonly reasons: readonly string[] } }

jest.setTimeout(60_000)
let home: Home
let system: System
beforeAll(async () => {
  home = await makeHome({ flows: { 'sort/flow.yaml': FLOW, 'sort/rules.yaml': RULES }, models: MODELS })
  await writeFile(join(home.configDir, 'policies.yaml'), POLICIES)
  system = await openAt(home)
})
afterAll(async () => {
  await system.close()
  await home.remove()
})
const taskIn = (queue: string, runId: string): Promise<Task> =>
  until(`a task in ${queue}`, async () =>
    (await system.http<{ items: readonly Task[] }>('GET', `/v1/reviews?queue=${queue}`)).body.items.find((task) => task.runId === runId),
  )
const begin = async (id: string, text: string): Promise<string> => {
  const answer = await system.http<{ runId: string }>('POST', '/v1/runs', { id, flow: 'test/sort', input: { text } })
  expect(answer).toMatchObject({ status: 202 })
  return answer.body.runId
}
const decide = (taskId: string, body: object) => system.http('POST', `/v1/reviews/${taskId}:decide`, { by: 'ada', ...body })

describe('policies.yaml in a whole system (D9, E2)', () => {
  it('E2: what the model is not sure of is what a person makes of it', async () => {
    const runId = await begin('unsure', 'Who are you?')
    const task = await taskIn('sorting', runId)
    expect(task.terms.reasons).toEqual(['unsure: confidence 0.3 is below 0.5'])
    expect(await decide(task.taskId, { verdict: 'edit', output: { about: 1 } })).toMatchObject({ status: 422 })
    expect(await decide(task.taskId, { verdict: 'edit', output: { about: 'greeting', confidence: 1 } })).toMatchObject({ status: 200 })
    const [published] = await system.results('unsure')
    expect(published?.result).toMatchObject({ status: 'completed', output: { about: 'greeting', by: 'human:ada' } })
  })

  it('E2: rejected, the step fails with the reason', async () => {
    const task = await taskIn('sorting', await begin('rejected', 'Who am I?'))
    await decide(task.taskId, { verdict: 'reject', reason: 'nobody knows' })
    const [published] = await system.results('rejected')
    expect(published?.result).toMatchObject({ status: 'failed', fault: { code: 'review.rejected', message: 'nobody knows' } })
  })

  it('E10: what it is sure of goes on, and is looked at afterwards; the run does not change', async () => {
    const runId = await begin('sure', 'I want a refund')
    const [published] = await system.results('sure')
    expect(published?.result).toMatchObject({ status: 'completed', output: { about: 'refund' } })
    const sample = await taskIn('labels', runId)
    expect(await decide(sample.taskId, { verdict: 'reject', reason: 'not about a refund' })).toMatchObject({ status: 200 })
    const { body } = await system.http<{ items: readonly { automatic: number }[] }>('GET', '/v1/reviews/learned/rates?flow=test/sort')
    expect(body.items).toMatchObject([{ decisions: 3, automatic: 1 }])
    expect(await system.results('sure')).toEqual([published])
  })
})
