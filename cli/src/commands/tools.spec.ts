import { describe, expect, it } from '@jest/globals'
import { changeText } from './tools.ts'

describe('baton tools diff', () => {
  it('C13: says what was accepted by whom, and what it is now', () => {
    const accepted = { by: 'jo', atMs: Date.UTC(2026, 0, 2, 3, 4) }
    const changes = [
      { at: 'description', from: 'Pays.', to: 'Pays twice.' },
      { at: 'inputSchema.properties.secret', to: '{}' },
    ]
    expect(changeText({ tool: 'bank/pay', principal: 'acme', fingerprint: 'f', accepted, changes }).split('\n')).toEqual([
      'bank/pay (acme): accepted by jo on 2026-01-02T03:04',
      '  description',
      '    - Pays.',
      '    + Pays twice.',
      '  inputSchema.properties.secret',
      '    + {}',
    ])
    expect(changeText({ tool: 'bank/pay', principal: '', fingerprint: 'f', changes: [] })).toBe('bank/pay: never accepted')
  })
})
