// Runs made of others, as tracing shows them: what they wait for, what they are made of, what they failed on (MISSION G2).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Json } from '@baton/contracts'
import { openSystem, until, type System } from './system.ts'

jest.setTimeout(120_000)

const OUTER = `flow: trees/outer@1.0.0
limits: { steps: 1000 }
input: { pages: 'string[]' }
steps:
  - looks:
      parallel:
        fast: { set: { text: seen } }
        paid: { wait: { event: payment, timeout: 1d }, returns: { amount: number } }
      join: all
  - pages:
      map: =input.pages
      as: page
      each: { set: { text: =page } }
      concurrency: 8
      max: 1000
  - inner: { flow: trees/inner, with: { amount: =looks.paid.amount }, returns: { amount: number } }
  - late: { wait: { event: never, timeout: 1s } }
output: { amount: =inner.amount }
`
const INNER = `flow: trees/inner@1.0.0
input: { amount: number }
steps:
  - go: { wait: { event: go } }
  - done: { set: { amount: =input.amount } }
output: =done
`

type Reason = { readonly kind: string; readonly path: string | null; readonly command: string | null; readonly childRunId?: string }
type Run = { readonly status: string; readonly why: readonly Reason[]; readonly rootRunId: string | null }
type Node = {
  readonly path: string
  readonly kind: string
  readonly status: string
  readonly counts?: Readonly<Record<string, number>>
  readonly children: readonly Node[]
  readonly run?: { readonly runId: string; readonly status: string; readonly steps: readonly Node[] }
}

describe('runs made of others (G2)', () => {
  let system: System
  beforeAll(async () => {
    system = await openSystem({ flows: { 'outer/flow.yaml': OUTER, 'inner/flow.yaml': INNER } })
  })
  afterAll(() => system.close())

  const get = async <T>(path: string): Promise<T> => (await system.http('GET', path)).body as T // what tracing answers
  const waitsFor = (runId: string, kind: string): Promise<Reason> =>
    until(`${runId} to wait for ${kind}`, async () => (await get<Run>(`/v1/runs/${runId}`)).why?.find((reason) => reason.kind === kind))
  const send = (runId: string, event: string, data: Json = null) =>
    system.http('POST', `/v1/runs/${runId}/events`, { event, data, id: `${event}-1`, by: 'spec' })
  const shape = (nodes: readonly Node[]): readonly unknown[] =>
    nodes.map(({ path, kind, status, children }) => [`${path} ${kind} ${status}`, ...shape(children)])

  it('names at each moment what is waited for and the command that helps, and shows the tree of what was done', async () => {
    const pages = Array.from({ length: 300 }, (_, n) => `page ${n}`)
    const { body } = await system.http<{ runId: string }>('POST', '/v1/runs', { flow: 'trees/outer', input: { pages } })
    expect(body).toMatchObject({ runId: expect.stringMatching(/^run_/) })
    const { runId } = body
    expect(await waitsFor(runId, 'event')).toMatchObject({ path: 'looks/paid', command: `baton send ${runId} payment` })

    await system.http('POST', `/v1/runs/${runId}:pause`, { by: 'ada' })
    expect(await waitsFor(runId, 'paused')).toMatchObject({ command: `baton runs resume ${runId}` })
    await system.http('POST', `/v1/runs/${runId}:resume`, { by: 'ada' })
    await send(runId, 'payment', { amount: 7 })

    const { childRunId = '', command } = await waitsFor(runId, 'run')
    expect(command).toBe(`baton why ${childRunId}`)
    expect(await waitsFor(childRunId, 'event')).toMatchObject({ path: 'go', command: `baton send ${childRunId} go` })
    await send(childRunId, 'go')

    expect(await waitsFor(runId, 'fault')).toMatchObject({ path: 'late', command: `baton runs retry ${runId} --from late` })
    const { steps } = await get<{ steps: readonly Node[] }>(`/v1/runs/${runId}/trace`)
    const [looks, map, inner, late] = steps
    expect(late).toMatchObject({ path: 'late', kind: 'event', event: 'never' })
    expect(shape([looks, inner].filter((node) => node !== undefined))).toEqual([
      ['looks parallel completed', ['looks/fast set completed'], ['looks/paid event completed']],
      ['inner flow completed'],
    ])
    expect(map).toMatchObject({ path: 'pages', kind: 'map', counts: { completed: 300 }, more: { hidden: 100, after: 200 } })
    expect(inner?.run).toMatchObject({ runId: childRunId, status: 'completed' })
    expect(shape(inner?.run?.steps ?? [])).toEqual([['go event completed'], ['done set completed']])
    const rest = await get<{ steps: readonly Node[] }>(`/v1/runs/${runId}/trace?under=pages&after=200`)
    expect(rest.steps).toHaveLength(100)
    const tree = await get<{ items: readonly { runId: string }[] }>(`/v1/runs?root=${runId}`)
    expect(tree.items.map((run) => run.runId).sort()).toEqual([runId, childRunId].sort())
  })
})
