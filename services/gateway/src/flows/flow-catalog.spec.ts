import { describe, expect, it } from '@jest/globals'
import { compileFlow } from '@baton/flow'
import type { FlowStore } from '@baton/store'
import { FlowCatalog, parseFlowName } from './flow-catalog.ts'

const planOf = (text: string) => {
  const result = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml' })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.plan
}
const one = planOf('steps:\n  - a: Say {{ input.text }}')
const two = planOf('steps:\n  - b: Tell {{ input.text }}')

/** The port over two maps that a test can change. */
const flowsOf = (targets: Map<string, string>): FlowStore & { resolved: number } => ({
  resolved: 0,
  async resolve({ tenant, flow, at }) {
    this.resolved++
    const hash = targets.get(`${tenant}/${flow}@${at}`)
    return hash === undefined ? undefined : { hash, version: '1' }
  },
  plan: async (hash) =>
    [one, two].map((plan) => (plan.hash === hash ? JSON.stringify(plan) : undefined)).find((body) => body !== undefined),
  publish: async () => ({ changed: false }),
  list: async () => [],
})

const params = { overrides: async () => [] }

describe('flow catalogue', () => {
  it('reads namespace/name with a version or alias, stable where none is named', () => {
    expect(parseFlowName('a/b')).toEqual({ flow: 'a/b', at: 'stable' })
    expect(parseFlowName('a/b@2.0.0')).toEqual({ flow: 'a/b', at: '2.0.0' })
  })
  it('G1: asks the store once, again after the refresh time, and at once when told', async () => {
    const targets = new Map([['default/a/b@stable', one.hash]])
    const flows = flowsOf(targets)
    let nowMs = 0
    const catalog = new FlowCatalog({ flows, params, nowMs: () => nowMs, refreshMs: 1_000 })
    await catalog.find('default', 'a/b')
    targets.set('default/a/b@stable', two.hash)
    expect((await catalog.find('default', 'a/b')).plan.hash).toBe(one.hash)
    expect(flows.resolved).toBe(1)
    catalog.forget()
    expect((await catalog.find('default', 'a/b')).plan.hash).toBe(two.hash)
    targets.set('default/a/b@stable', one.hash)
    nowMs = 1_001
    expect((await catalog.find('default', 'a/b')).plan.hash).toBe(one.hash)
  })
  it('G1: asks the store once for many requests at the same time', async () => {
    const flows = flowsOf(new Map([['default/a/b@stable', one.hash]]))
    const catalog = new FlowCatalog({ flows, params, nowMs: () => 0 })
    const found = await Promise.all(Array.from({ length: 100 }, () => catalog.find('default', 'a/b')))
    expect(flows.resolved).toBe(1)
    expect(new Set(found).size).toBe(1)
  })
  it('G11: lays the overrides of a tenant over the defaults, the strongest last; one that does not fit is left out and told', async () => {
    const plan = planOf('params:\n  send: { type: number, default: 0.8, min: 0.5, max: 1 }\nsteps:\n  - a: Say {{ input.text }}')
    const flows: FlowStore = {
      ...flowsOf(new Map([['default/a/b@stable', plan.hash]])),
      plan: async () => JSON.stringify(plan),
    }
    const misfits: unknown[] = []
    const layers = [
      { scope: { tenant: '', environment: '' }, values: { send: 0.6, gone: 1 } },
      { scope: { tenant: 'acme', environment: '' }, values: { send: 0.9 } },
      { scope: { tenant: 'acme', environment: 'live' }, values: { send: 0.2 } },
    ]
    const catalog = new FlowCatalog({
      flows,
      params: { overrides: async ({ tenant, environment }) => (tenant === 'acme' && environment === 'live' ? layers : []) },
      environment: 'live',
      nowMs: () => 0,
      onMisfit: (misfit) => misfits.push(misfit),
    })
    expect((await catalog.find('acme', 'a/b')).params).toEqual({ send: 0.9 })
    expect((await catalog.find('default', 'a/b')).params).toEqual({ send: 0.8 })
    expect(misfits).toEqual([{ flow: plan.flow, tenant: 'acme', param: 'send', reason: 'is 0.2, below its minimum 0.5' }])
  })
  it('gives a tenant the flow of the default tenant where it has none of its own', async () => {
    const catalog = new FlowCatalog({
      params,
      flows: flowsOf(
        new Map([
          ['default/a/b@stable', one.hash],
          ['acme/c/d@stable', two.hash],
        ]),
      ),
      nowMs: () => 0,
    })
    expect((await catalog.find('acme', 'a/b')).plan.hash).toBe(one.hash)
    await expect(catalog.find('default', 'c/d')).rejects.toMatchObject({ code: 'flow.unknown', detail: { field: 'flow' } })
  })
})
