import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isJsonObject, type Json } from '@baton/contracts/json'
import { parse, stringify } from 'yaml'
import { planHash } from './hash.ts'
import { planOf } from './testing/compiled.ts'
import { EVERYTHING } from './testing/everything.ts'

/** Where the order of keys says something: fields of a schema become its list of required fields, cases are compared in turn. */
const ORDERED = new Set(['input', 'schemas', 'returns', 'of', 'cases', 'items', 'check', 'guard'])

/** The same data with the keys of its maps in another order, by numbers from outside. */
const shuffled = (value: Json, next: () => number): Json => {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, next))
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([key, item]) => [key, ORDERED.has(key) ? item : shuffled(item, next), next()] as const)
  return Object.fromEntries(entries.toSorted((a, b) => a[2] - b[2]).map(([key, item]) => [key, item]))
}

const written = (data: Json, form: { readonly json: boolean; readonly indent: number; readonly comment: string }): string => {
  if (form.json) return JSON.stringify(data, null, form.indent)
  return `# ${form.comment}\n${stringify(data, { indent: form.indent, lineWidth: 0, aliasDuplicateObjects: false })}`
}

describe('the hash of a flow with every word', () => {
  const data: Json = parse(EVERYTHING)
  const { hash } = planOf(EVERYTHING)

  it('P1: is that of its meaning: order of keys, comments, indentation, YAML or JSON do not change it', () => {
    const forms = fc.record({ json: fc.boolean(), indent: fc.integer({ min: 2, max: 6 }), comment: fc.stringMatching(/^[a-z ]{0,20}$/) })
    fc.assert(
      fc.property(forms, fc.infiniteStream(fc.nat()), (form, numbers) => {
        const plan = planOf(
          written(
            shuffled(data, () => Number(numbers.next().value)),
            form,
          ),
        )
        expect([plan.hash, planHash(plan)]).toEqual([hash, hash])
      }),
      { numRuns: 25 },
    )
  })

  it.each([
    ['a literal with another unit', 'tokens: 2k, ', 'tokens: 2000, '],
    ['a share as a number', 'minConfidence: 60%', 'minConfidence: 0.6'],
    ['minutes as seconds', 'wait: 10m', 'wait: 600s'],
    ['what is about it', 'about: Every word', 'about: Each word'],
  ])('P1: %s changes nothing', (_, from, to) => {
    expect(planOf(EVERYTHING.replace(from, to)).hash).toBe(hash)
  })

  it.each([
    ['a cap', 'loop: { max: 5', 'loop: { max: 6'],
    ['a condition', 'it.score >= 0.9', 'it.score > 0.9'],
    ['a trigger', '{ every: 1h }', '{ every: 2h }'],
    ['a tool of an agent', 'tools: [billing/refund_status]', 'tools: [billing/refund]'],
    ['a prompt inside a branch', 'Extract the text', 'Take the text'],
    ['an expiry', 'expires: 10m', 'expires: 11m'],
    ['a join', 'quorum: 2', 'quorum: 3'],
  ])('P1: %s changes it', (_, from, to) => {
    expect(EVERYTHING).toContain(from)
    expect(planOf(EVERYTHING.replace(from, to)).hash).not.toBe(hash)
  })
})
