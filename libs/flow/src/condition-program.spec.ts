import { describe, expect, it } from '@jest/globals'
import { loadCondition } from './condition-program.ts'

const names = ['fault', 'tenant', 'attempts', 'data']
const load = (cel: string) => loadCondition(cel, { names, field: 'where' })
const letter = { fault: { code: 'tool.failed' }, tenant: 'acme', attempts: 3, data: { items: [{ n: 1 }, { n: 5 }] } }

describe('a condition that stands alone', () => {
  it.each([
    ['fault.code == "tool.failed" && tenant == "acme"', true],
    ['attempts > 3', false],
    ['data.items.exists(i, i.n > 4)', true],
    ['fault.code.startsWith("model.")', false],
  ])('%s is %s', (cel, holds) => expect(load(cel).test(letter)).toBe(holds))

  it.each([
    ['fault.code ==', 'where: '],
    ['tennant == "acme"', 'did you mean "tenant"'],
    ['input.text == ""', 'there is no "input"'],
    ['tenant.matches("(")', 'where: '],
    ['x'.repeat(2_001), 'at most 2000 characters'],
  ])('%s is refused before it sees anything', (cel, reason) => {
    let fault: unknown
    try {
      load(cel)
    } catch (error) {
      fault = error
    }
    expect(fault).toMatchObject({ code: 'request.malformed', message: expect.stringContaining(reason), detail: { field: 'where' } })
  })

  it.each(['data.order.id == 1', 'tenant'])('%s cannot be said of this one', (cel) => {
    expect(() => load(cel).test(letter)).toThrow(expect.objectContaining({ code: 'expression.failed' }))
  })

  it('what the data says is never evaluated', () => {
    expect(load('data == "1 + 1 == 2"').test({ ...letter, data: '1 + 1 == 2' })).toBe(true)
    expect(load('has(data.constructor)').test({ ...letter, data: {} })).toBe(false)
  })
})
