import { describe, expect, it } from '@jest/globals'
import { diagnosisOf } from './support-diagnose.ts'

const issueOf = (text: string): string | undefined => diagnosisOf(text)?.issue.id

describe('support/diagnose', () => {
  it('finds the known issue behind what customers write', () => {
    expect(issueOf("My Google pay top up isn't working.")).toBe('top_up_failed')
    expect(issueOf('Why is my transfer still pending?')).toBe('transfer_pending')
    expect(issueOf("I can't withdraw cash, the ATM declined it")).toBe('cash_withdrawal_declined')
    expect(issueOf('the machine swallowed my card')).toBe('card_swallowed')
    expect(issueOf('I entered my PIN wrong and it is blocked now')).toBe('pin_blocked')
    expect(issueOf('My card was declined in a shop')).toBe('card_declined')
    expect(issueOf('contactless has stopped working')).toBe('contactless_off')
  })

  it('says so when nothing fits', () => {
    expect(issueOf('what is happening with brexit')).toBeUndefined()
    expect(issueOf('')).toBeUndefined()
  })
})
