import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { compareAll, deviationsPage, type Comparison } from './deviations.fixture.ts'

const page = join(import.meta.dirname, 'deviations.md')
let comparison: Comparison
beforeAll(() => {
  comparison = compareAll()
  if (process.env['BATON_UPDATE'] !== undefined) writeFileSync(page, deviationsPage(comparison))
  const { passed, total } = comparison
  process.stdout.write(`CEL conformance: ${passed} of ${total} cases as asked (${((passed / total) * 100).toFixed(1)} %)\n`)
}, 60_000)

describe('expressions beside the reference implementation of CEL', () => {
  it('deviate where the page says and nowhere else (a new deviation, or one that is gone: BATON_UPDATE=1)', () => {
    expect(readFileSync(page, 'utf8')).toBe(deviationsPage(comparison))
  })

  it('have a reason for every deviation', () => {
    expect(comparison.deviations.filter(({ reason }) => reason === 'unexplained').map(({ id }) => id)).toEqual([])
  })

  it('are compared with a reference that answers as the cases ask, but for the newer macros', () => {
    expect(comparison.referenceFailed.filter((id) => !id.startsWith('macros2/'))).toEqual([])
    expect(comparison.total).toBeGreaterThan(700)
  })
})
