import { describe, expect, it } from '@jest/globals'
import { openFlow, openPlan, type OpenedFlow } from '../outline/open.ts'
import { SAMPLE_FILES } from '../testing/samples.ts'
import { clientTypes } from './client-types.ts'
import { schemaText } from './schema-text.ts'

const opened = (entry: string): OpenedFlow => {
  const result = openFlow({ files: SAMPLE_FILES, entry })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.flow
}

describe('types for clients', () => {
  const text = clientTypes(opened('support/flow.yaml'))

  it('what is sent may leave out what has a default', () => {
    expect(text).toContain(`export type CustomerSupportInput = {
  readonly ticket: string
  readonly text: string
  /** default false */
  readonly sensitive?: boolean
}`)
  })

  it('what is read has the types of the schemas', () => {
    expect(text).toMatch(/export type CustomerSupportOutput = \{\n {2}readonly text: string\n {2}readonly by: string\n\}/)
  })

  it('params carry their range and default', () => {
    expect(text).toContain('/** 0.5..1; default 0.8 */\n  readonly send?: number')
  })

  it('T1: a published plan and its file give the same text', () => {
    const flow = opened('support/flow.yaml')
    expect(clientTypes(openPlan(flow.plan))).toBe(clientTypes(flow))
  })

  it('a flow without schemas knows nothing, and says unknown', () => {
    expect(clientTypes(opened('chain.yaml'))).toMatch(/export type ChainInput = unknown/)
  })

  it('T2: says unknown for what it cannot say, never any', () => {
    expect(schemaText(true, 'sent')).toBe('unknown')
    expect(schemaText({ enum: ['a', 'b', null] }, 'sent')).toBe('"a" | "b" | null')
    expect(schemaText({ type: 'array', items: { enum: ['a', 'b'] } }, 'sent')).toBe('readonly ("a" | "b")[]')
    expect(schemaText({ type: 'object' }, 'sent')).toBe('{ readonly [key: string]: unknown }')
    expect(schemaText({ type: ['string', 'null'] }, 'sent')).toBe('string | null')
    expect(schemaText({ $ref: '#/$defs/a', $defs: { a: { type: 'integer' } } }, 'sent')).toBe('number')
    expect(schemaText({ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, 'sent')).toBe('unknown')
  })
})
