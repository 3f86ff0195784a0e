import { describe, expect, it } from '@jest/globals'
import { Fault, type Json } from '@baton/contracts'
import { compileFlow } from '@baton/flow'
import type { ReadyFlow } from './flow-catalog.ts'
import { pinFlows, PINS_MAX, startedFlows } from './flow-pins.ts'

/** A catalogue of flows by name; each starts the flows listed. */
const catalogOf = (flows: Readonly<Record<string, readonly string[]>>) => {
  const ready = new Map<string, ReadyFlow>()
  for (const [name, starts] of Object.entries(flows)) {
    const [flow = '', at = '1.0.0'] = name.split('@')
    const steps = starts.length === 0 ? ['  - a: { set: 1 }'] : starts.map((start, index) => `  - s${index}: { flow: ${start} }`)
    const params = 'params:\n  send: { type: number, default: 0.8 }\n'
    const version = /^\d/.test(at) ? at : '1.0.0'
    const result = compileFlow({
      files: new Map([['flow.yaml', `flow: ${flow}@${version}\n${params}steps:\n${steps.join('\n')}\n`]]),
      entry: 'flow.yaml',
    })
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
    ready.set(name, {
      plan: result.plan,
      checkInput: () => undefined,
      params: { send: 0.9 } as Record<string, Json>,
      starts: startedFlows(result.plan),
    })
  }
  return {
    find: async (_tenant: string, name: string): Promise<ReadyFlow> => {
      const found = ready.get(name)
      if (found === undefined) throw new Fault('flow.unknown', `no flow ${name} is published`, { field: 'flow' })
      return found
    },
  }
}
const pinsOf = async (flows: Readonly<Record<string, readonly string[]>>, name: string) => {
  const catalog = catalogOf(flows)
  return pinFlows(catalog, { tenant: 'default', flow: await catalog.find('default', name) })
}

describe('pins of the flows that steps start', () => {
  it('N1, L2: the whole tree, under the text of the steps, with the params as they are now', async () => {
    const flows = { 'a/a': ['a/b', 'a/c@stable'], 'a/b': ['a/c@2.0.0'], 'a/c@stable': ['a/d'], 'a/c@2.0.0': ['a/d'], 'a/d': [] }
    const pins = await pinsOf(flows, 'a/a')
    expect(Object.keys(pins ?? {}).toSorted()).toEqual(['a/b', 'a/c@2.0.0', 'a/c@stable', 'a/d'])
    expect(pins?.['a/c@2.0.0']).toEqual({
      flow: 'a/c',
      version: '2.0.0',
      planHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      params: { send: 0.9 },
    })
  })

  it('there are none where no step starts a flow', async () => {
    expect(await pinsOf({ 'a/a': [] }, 'a/a')).toBeUndefined()
  })

  it('N2: flows that start each other without end are refused, with the way', async () => {
    await expect(pinsOf({ 'a/a': ['a/b'], 'a/b': ['a/c'], 'a/c': ['a/a'] }, 'a/a')).rejects.toMatchObject({
      code: 'flow.invalid',
      message: expect.stringContaining('a/a -> a/b -> a/c -> a/a'),
    })
  })

  it('N2: flows that meet again are no circle', async () => {
    expect(Object.keys((await pinsOf({ 'a/a': ['a/b', 'a/c'], 'a/b': ['a/d'], 'a/c': ['a/d'], 'a/d': [] }, 'a/a')) ?? {})).toHaveLength(3)
  })

  it('N2: a tree of too many flows is refused', async () => {
    const names = Array.from({ length: PINS_MAX + 1 }, (_, index) => `a/f${index}`)
    const chain = Object.fromEntries(names.map((name, index) => [name, index + 1 < names.length ? [names[index + 1] ?? ''] : []]))
    expect(Object.keys((await pinsOf(chain, 'a/f0')) ?? {})).toHaveLength(PINS_MAX)
    await expect(pinsOf({ ...chain, 'a/top': ['a/f0'] }, 'a/top')).rejects.toMatchObject({ code: 'limit.depth_exceeded' })
  })

  it('a flow that nobody has published is named with the way to it', async () => {
    await expect(pinsOf({ 'a/a': ['a/b'], 'a/b': ['a/none@beta'] }, 'a/a')).rejects.toMatchObject({
      code: 'flow.unknown',
      message: expect.stringContaining('a/a -> a/b -> a/none@beta'),
    })
  })
})
