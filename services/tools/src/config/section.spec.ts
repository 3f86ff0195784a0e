import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { Duration } from './duration.ts'
import { matchesName, Names } from './names.ts'
import { readSection } from './section.ts'

const YAML = `one: 1
two:
  # a comment
  three:
    - four: ${'secret-value'}
`

describe('a part of a configuration file', () => {
  it('S1: tells a mistake with file, line and place, and never the value', () => {
    const section = readSection(YAML, 'x.yaml')
    const wanted = z.object({ two: z.object({ three: z.array(z.object({ four: z.number() })) }) })
    const told = (): unknown => section.parse(wanted)
    expect(told).toThrow(/^x\.yaml:5: two\.three\.0\.four: /)
    expect(told).not.toThrow(/secret-value/)
    expect(() => section.part('two').part('three').parse(z.string())).toThrow(/^x\.yaml:4: two\.three: /)
    expect(section.part('two').refuse('is wrong', 'three', 0, 'none').message).toBe('x.yaml:5: two.three.0.none: is wrong')
    expect(() => section.parse(z.strictObject({ two: z.unknown() }))).toThrow(/^x\.yaml:1: one: /)
    expect(() => readSection('a: [', 'x.yaml')).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(readSection('', 'x.yaml').part('a', 'b').value).toBeUndefined()
  })

  it('reads durations and names as files say them', () => {
    expect(['500ms', '5s', '2m', '1h', '7d'].map((text) => Duration.parse(text))).toEqual([500, 5_000, 120_000, 3_600_000, 604_800_000])
    expect(['5', 's', '0s', '5 s', '-1s'].map((text) => Duration.safeParse(text).success)).toEqual([false, false, false, false, false])
    expect(Names.parse('a')).toEqual(['a'])
    const matches = (pattern: string, name: string): boolean => matchesName([pattern], name)
    expect([
      matches('a/*', 'a/b'),
      matches('*', 'a'),
      matches('a/b', 'a/b'),
      matches('*/pay', 'bank/pay'),
      matches('a*c*e', 'abcde'),
    ]).not.toContain(false)
    expect([matches('a/*', 'b/a'), matches('a', 'ab'), matches('a*a', 'a'), matches('*b', 'abc'), matches('a.b', 'axb')]).not.toContain(
      true,
    )
  })
})
