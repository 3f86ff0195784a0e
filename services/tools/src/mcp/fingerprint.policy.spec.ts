import { describe, expect, it } from '@jest/globals'
import { changesBetween, definitionOf, fingerprintOf, type Definition } from './fingerprint.policy.ts'

const tool: Definition = {
  name: 'pay',
  description: 'Pays.',
  inputSchema: { type: 'object', properties: { amount: { type: 'number' } } },
  annotations: { destructiveHint: true },
}

describe('the fingerprint of a tool', () => {
  it('F1: covers what a model goes by, whatever the order of keys, and nothing else', () => {
    const shuffled = {
      annotations: { destructiveHint: true },
      inputSchema: { properties: { amount: { type: 'number' } }, type: 'object' },
      description: 'Pays.',
      name: 'pay',
    }
    expect(fingerprintOf(shuffled)).toBe(fingerprintOf(tool))
    expect(fingerprintOf({ ...tool, _meta: { when: 'now' }, icons: [] })).toBe(fingerprintOf(tool))
    expect(fingerprintOf({ ...tool, execution: { taskSupport: 'forbidden' } })).toBe(fingerprintOf(tool))
    for (const change of [
      { name: 'pays' },
      { title: 'Pay' },
      { description: 'Pays twice.' },
      { inputSchema: { type: 'object' } },
      { outputSchema: { type: 'object' } },
      { annotations: { destructiveHint: false } },
      { execution: { taskSupport: 'required' } },
    ])
      expect(fingerprintOf({ ...tool, ...change })).not.toBe(fingerprintOf(tool))
    expect(definitionOf({ ...tool, icons: [] })).toEqual(tool)
  })

  it('F2: a difference names each place with both values, shortened', () => {
    const now = {
      ...tool,
      description: 'x'.repeat(1_000),
      inputSchema: { type: 'object', properties: { amount: { type: 'string' }, to: {} } },
    }
    expect(changesBetween(tool, now)).toEqual([
      { at: 'description', from: 'Pays.', to: `${'x'.repeat(399)}…` },
      { at: 'inputSchema.properties.amount.type', from: 'number', to: 'string' },
      { at: 'inputSchema.properties.to', to: '{}' },
    ])
    expect(changesBetween(tool, tool)).toEqual([])
    expect(changesBetween(undefined, { name: 'pay' })).toEqual([{ at: 'name', to: 'pay' }])
  })
})
