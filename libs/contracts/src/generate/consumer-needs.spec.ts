import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { unmetNeeds } from './consumer-needs.ts'

const folder = join(import.meta.dirname, '../../../../docs/consumers')
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const needs = (read: object): unknown => ({ consumer: 'shop', about: '', ...read })

describe('what other teams lean on', () => {
  it.each(files)('N1, N2: %s has what it needs', (name) => {
    expect(unmetNeeds(JSON.parse(readFileSync(join(folder, name), 'utf8')))).toEqual([])
  })
  it('N1: a field that is gone or of another type, a header and a message that are gone are named', () => {
    const fields = { runId: 'integer', 'metrics.price': 'number' }
    expect(unmetNeeds(needs({ reads: [{ message: 'baton.run.completed.v1', headers: ['ce_mood'], fields }] }))).toEqual([
      'shop: baton.run.completed.v1: runId is "string", not integer',
      'shop: baton.run.completed.v1: metrics.price is gone',
      'shop: baton.run.completed.v1: has no header ce_mood',
    ])
    expect(unmetNeeds(needs({ reads: [{ message: 'baton.run.done.v1', fields: {} }] }))).toEqual([
      'shop: baton.run.done.v1 does not exist any more',
    ])
  })
  it('N2: a message that is refused is named with the reason', () => {
    expect(unmetNeeds(needs({ writes: [{ message: 'baton.run.request.v1', example: { input: 1 } }] }))).toEqual([
      expect.stringMatching(/^shop: baton\.run\.request\.v1: what it writes is refused: .*flow/),
    ])
  })
})
