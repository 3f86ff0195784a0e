import { describe, expect, it } from '@jest/globals'
import { readAllowed, refusalOf, type AllowList } from './address.policy.ts'

const allowed = (...texts: readonly string[]): AllowList => texts.map((text) => readAllowed(text) ?? { host: 'none' })
const refused = (address: string, allow: AllowList = [], { host = 'x.example', port = 443 } = {}): boolean =>
  refusalOf({ host, port, address }, allow) !== undefined

describe('addresses that calls may reach (H3)', () => {
  it('N1: public ones, and none that is private, local or reserved, in whatever clothes it comes', () => {
    const inside = [
      '127.0.0.1',
      '127.8.9.10',
      '0.0.0.0',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '169.254.1.1',
      '100.64.0.1',
      '192.0.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '203.0.113.5',
      '::1',
      '::',
      'fe80::1',
      'fc00::1',
      'fd12:3456::1',
      'ff02::1',
      '2001:db8::1',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
      'not an address',
      '',
    ]
    expect(inside.filter((address) => !refused(address))).toEqual([])
    expect(['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8'].filter((address) => refused(address))).toEqual(
      [],
    )
  })

  it('what is allowed is a host, an address or a range, with or without a port', () => {
    expect(refused('10.1.2.3', allowed('10.0.0.0/8'))).toBe(false)
    expect(refused('11.1.2.3', allowed('10.0.0.0/8'))).toBe(false)
    expect(refused('192.168.0.1', allowed('10.0.0.0/8'))).toBe(true)
    expect(refused('::ffff:10.1.2.3', allowed('10.0.0.0/8'))).toBe(false)
    expect(refused('127.0.0.1', allowed('127.0.0.1:8080'), { port: 8080 })).toBe(false)
    expect(refused('127.0.0.1', allowed('127.0.0.1:8080'), { port: 22 })).toBe(true)
    expect(refused('10.0.0.9', allowed('crm.internal'), { host: 'CRM.internal' })).toBe(false)
    expect(refused('10.0.0.9', allowed('crm.internal'), { host: 'other.internal' })).toBe(true)
    expect(refused('::1', allowed('[::1]:80'), { port: 80 })).toBe(false)
    expect(['http://x', 'a b', '10.0.0.0/99', '', '-'].map(readAllowed)).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  it('N2: addresses that hand out credentials are refused unless they are allowed themselves', () => {
    const metadata = ['169.254.169.254', 'fd00:ec2::254', '168.63.129.16', '100.100.100.200', '::ffff:169.254.169.254']
    expect(metadata.filter((address) => !refused(address))).toEqual([])
    expect(refused('169.254.169.254', allowed('169.254.0.0/16', '0.0.0.0/0', 'x.example'))).toBe(true)
    expect(refused('169.254.169.254', allowed('169.254.169.254'))).toBe(false)
  })
})
