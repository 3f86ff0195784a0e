import { describe, expect, it } from '@jest/globals'
import { redactJson, redactText } from './redaction.policy.ts'

describe('redaction', () => {
  it.each([
    ['write to jane.doe+x@mail.example.co.uk please', 'write to [email] please'],
    ['card 4111 1111 1111 1111 was charged', 'card [card] was charged'],
    ['card 4111111111111111.', 'card [card].'],
    ['IBAN DE89 3704 0044 0532 0130 00', 'IBAN [iban]'],
    ['call +49 30 1234567 today', 'call [phone] today'],
    ['call (030) 123-4567', 'call [phone]'],
    ['key sk-proj-abcdefghij0123456789', 'key [secret]'],
    ['Authorization: Bearer abcdefghijklmnop123456', 'Authorization: [secret]'],
  ])('C1: %s', (text, expected) => {
    expect(redactText(text)).toBe(expected)
  })

  it.each([
    'order 4711 of 2026-11-21',
    'a transfer of 1,250.00 EUR on 21.11.2026',
    'ticket 1234567890123',
    'version 1.2.3 took 120 ms',
    'no digits',
  ])('C2: leaves "%s" alone', (text) => {
    expect(redactText(text)).toBe(text)
  })

  it('C2: keeps the shape of a value, and replaces fields whose name speaks of a secret', () => {
    expect(redactJson({ to: ['a@b.example'], n: 1, password: 'hunter2', nested: { api_key: 'k', text: 'ok' }, none: null })).toEqual({
      to: ['[email]'],
      n: 1,
      password: '[secret]',
      nested: { api_key: '[secret]', text: 'ok' },
      none: null,
    })
  })
})
