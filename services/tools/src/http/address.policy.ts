// Which addresses outgoing calls may reach.
//   N1. Only public unicast addresses, unless the configuration allows more: nothing private, link-local, loopback, multicast or reserved,
//       and no address that carries another one inside (IPv4-mapped, NAT64, 6to4, Teredo).
//   N2. Addresses by which clouds hand out credentials are refused unless that very address is allowed; a range does not cover them.
import ipaddr from 'ipaddr.js'

/** Beyond those that are link-local anyway. */
const METADATA = new Set(['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'])

type Range = { readonly address: ipaddr.IPv4 | ipaddr.IPv6; readonly bits: number; readonly single: boolean }
type Entry = { readonly port?: number } & ({ readonly host: string } | { readonly range: Range })

/** What is allowed beyond public addresses. */
export type AllowList = readonly Entry[]

const rangeOf = (text: string): Range | undefined => {
  try {
    if (text.includes('/')) {
      const [address, bits] = ipaddr.parseCIDR(text)
      return { address, bits, single: bits === (address.kind() === 'ipv4' ? 32 : 128) }
    }
    const address = ipaddr.process(text)
    return { address, bits: address.kind() === 'ipv4' ? 32 : 128, single: true }
  } catch {
    return undefined
  }
}

/** Reads `host`, `host:port`, an address, `[address]:port`, `address:port` (IPv4) or a range; undefined for what is none of them. */
export const readAllowed = (text: string): Entry | undefined => {
  const whole = rangeOf(text)
  if (whole !== undefined) return { range: whole }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const [, bracketed, plain = '', digits] = match
  const port = digits === undefined ? {} : { port: Number(digits) }
  const range = rangeOf(bracketed ?? plain)
  if (range !== undefined) return { range, ...port }
  if (bracketed !== undefined || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(plain)) return undefined
  return { host: plain.toLowerCase(), ...port }
}

/** The address behind a text as a connection would see it; undefined for what is no address. */
const addressOf = (text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined => (ipaddr.isValid(text) ? ipaddr.process(text) : undefined)

const covers = ({ address, bits, single }: Range, of: ipaddr.IPv4 | ipaddr.IPv6): boolean => {
  if (address.kind() !== of.kind()) return false
  // Both are of the same kind, which the types of `match` want to be told.
  if (!of.match(address as ipaddr.IPv4 & ipaddr.IPv6, bits)) return false
  return single || !METADATA.has(of.toString()) // N2
}

/** Where a call goes: the name in its URL, the address it was found at. */
export type Target = { readonly host: string; readonly port: number; readonly address: string }

const isAllowed = (allowed: AllowList, { host, port }: Target, address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  allowed.some((entry) => {
    if (entry.port !== undefined && entry.port !== port) return false
    if ('range' in entry) return covers(entry.range, address)
    return entry.host === host.toLowerCase() && !METADATA.has(address.toString())
  })

/** Why this address may not be reached; undefined where it may. */
export const refusalOf = (target: Target, allowed: AllowList): string | undefined => {
  const address = addressOf(target.address)
  if (address === undefined) return 'is no address'
  if (isAllowed(allowed, target, address)) return undefined
  if (METADATA.has(address.toString())) return 'is an address of a cloud that hands out credentials'
  const range = address.range()
  return range === 'unicast' ? undefined : `is ${range === 'private' ? 'a private' : `a ${range}`} address` // N1
}
