import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toolNames } from './tool-names.policy.ts'

describe('names of tools for providers (A7)', () => {
  it('are readable', () => {
    const { out, back } = toolNames(['web/search', 'handoff/senior', 'data.query', 'plain'])
    expect(['web/search', 'handoff/senior', 'data.query', 'plain'].map(out)).toEqual([
      'web_search',
      'handoff_senior',
      'data_query',
      'plain',
    ])
    expect(back('web_search')).toBe('web/search')
  })

  it('a name that the model made up, or wrote as it is in the flow, is given back as it is', () => {
    expect(['web/search', 'web_fetch'].map(toolNames(['web/search']).back)).toEqual(['web/search', 'web_fetch'])
  })

  it('M1: are safe, one for each tool, and found again', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9_./-]{0,90}$/)
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
        const { out, back } = toolNames(names)
        const sent = names.map(out)
        expect(new Set(sent).size).toBe(names.length)
        expect(sent.every((one) => /^[A-Za-z0-9_-]{1,64}$/.test(one))).toBe(true)
        expect(sent.map(back)).toEqual(names)
      }),
    )
  })
})
