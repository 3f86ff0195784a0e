import { describe, expect, it } from '@jest/globals'
import { findings } from './types.fixture.ts'

describe('flows made to cost', () => {
  it('a schema that refers to itself everywhere is unfolded a few times', () => {
    const refs = Array.from({ length: 200 }, (_, index) => `f${index}: { $ref: '#/$defs/node' }`).join(', ')
    const schema = `{ $defs: { node: { type: object, properties: { ${refs} } } }, $ref: '#/$defs/node' }`
    expect(
      findings(
        `steps:\n  - node: { prompt: hi, returns: ${schema} }\n  - a: { set: '=has(node.f1) && has(node.f1.f2) && has(node.f1.g)' }\n`,
      ),
    ).toEqual([expect.objectContaining({ code: 'type.unknown_field', line: 3, column: 64 })])
  })

  it('maps in maps ask for the type of their list once', () => {
    const nested = (depth: number): string =>
      depth === 0 ? '{ set: =item }' : `{ map: '=item.a + item.b + item.a', each: ${nested(depth - 1)} }`
    expect(findings(`input: { any: any }\nsteps:\n  - a: { map: =input.any, each: ${nested(14)} }\n`)).toEqual([])
  })

  it('a list of rules as long as a file holds', () => {
    const rules = Array.from(
      { length: 1_500 },
      (_, index) => `      - { when: '!has(input.f${index}) || input.f${index} == null', then: next }\n`,
    ).join('')
    expect(findings(`steps:\n  - a:\n      switch:\n${rules}      - { else: next }\n`)).toEqual([])
  })
})
