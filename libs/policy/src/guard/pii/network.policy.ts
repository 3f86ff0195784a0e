// E-mail, IP and MAC addresses.
import type { Span } from '../guard.ts'
import { before } from '../spans.policy.ts'

const LOCAL = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u
const LOCAL_CHARS_MAX = 64
const DOMAIN =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{2,20}|\p{L}{2,24})(?![\p{L}\p{N}-]|\.\p{L}{2})/uy
const FILE_ENDING = /\.(?:png|jpe?g|gif|svg|webp|avif|ico|bmp|css|scss|js|mjs|ts|json|map|html?|pdf|zip)$/i

const localStart = (text: string, at: number): number => {
  let start = at
  while (start > 0 && at - start < LOCAL_CHARS_MAX && LOCAL.test(text.charAt(start - 1))) start--
  // What may stand in a name, but starts none in running text.
  while (start < at && /[.!#$%&'*/=?^`{|}~-]/.test(text.charAt(start))) start++
  return start
}

/** Not an address: part of a URL with credentials, of a remote of git, a file of two densities. */
const isOther = (text: string, start: number, end: number): boolean =>
  /:\/\/[^\s/@]{0,64}$/.test(text.slice(Math.max(0, start - 80), start)) ||
  (text.slice(start, end).startsWith('git@') && text.charAt(end) === ':') ||
  FILE_ENDING.test(text.slice(start, end))

/** E-mail addresses, also with letters of other scripts. */
export const findEmails = (text: string): Span[] => {
  const spans: Span[] = []
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, at)
    if (start === at || /[.]$|\.\./.test(text.slice(start, at))) continue
    DOMAIN.lastIndex = at + 1
    const domain = DOMAIN.exec(text)?.[0]
    const end = at + 1 + (domain?.length ?? 0)
    if (domain === undefined || isOther(text, start, end)) continue
    spans.push({ start, end, kind: 'email', score: 0.97, reason: 'an e-mail address' })
  }
  return spans
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d{2}|[1-9]?\\d)'
const IPV4 = new RegExp(`(?<![\\w.-])(?:${OCTET}\\.){3}${OCTET}(?![\\w]|\\.\\w|-\\d)`, 'g')
/** Three dots with digits around, a group between colons, and a pair between two signs: what is looked for first, as few texts have it. */
const ANY_IPV4 = /\.\d{1,3}\.\d{1,3}\.\d/
const ANY_IPV6 = /:[0-9a-f]{0,4}:/i
const ANY_MAC = /[:-][0-9a-f]{2}[:-]|\.[0-9a-f]{4}\./i
const IPV6 = /(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\w)/gi
const VERSION =
  /(?:\bv|version|ver\.|release|build|firmware|kernel|driver|sdk|node|python|java|php|ruby|chrome|firefox|chapter|section|§)[\s:#]*$/
const NOBODYS = /^(?:0\.|127\.|255\.|22[4-9]\.|23\d\.)/

/** Whether it is an IPv6 address that somebody could have: eight groups, or fewer around one `::`, and a digit in it. */
const isIpv6 = (match: string): boolean => {
  const parts = match.split('::')
  const groups = match
    .replace(/:[\d.]+\.\d+$/, ':0:0')
    .split(':')
    .filter((group) => group !== '')
  if (parts.length > 2 || match.includes(':::') || !/\d/.test(match)) return false
  if (parts.length === 1) return groups.length === 8 && !match.startsWith(':') && !match.endsWith(':')
  return groups.length >= 2 && groups.length <= 7 && groups.some((group) => group.length >= 3)
}

/** IP addresses but loopback, masks and multicast, which are nobody's. */
export const findIps = (text: string): Span[] => {
  const spans: Span[] = []
  for (const { 0: match, index } of ANY_IPV4.test(text) ? text.matchAll(IPV4) : []) {
    if (NOBODYS.test(match) || VERSION.test(before(text, index, 16))) continue
    spans.push({ start: index, end: index + match.length, kind: 'ip', score: 0.85, reason: 'an IPv4 address' })
  }
  for (const { 0: match, index } of ANY_IPV6.test(text) ? text.matchAll(IPV6) : []) {
    if (isIpv6(match)) spans.push({ start: index, end: index + match.length, kind: 'ip', score: 0.9, reason: 'an IPv6 address' })
  }
  return spans
}

const MAC = /(?<![\w:-])(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![\w:-]|\.\w)/gi

/** MAC addresses but broadcast and nothing. */
export const findMacs = (text: string): Span[] =>
  [...(ANY_MAC.test(text) ? text.matchAll(MAC) : [])].flatMap(({ 0: match, index }) =>
    /^(?:[f:.-]+|[0:.-]+)$/i.test(match)
      ? []
      : [{ start: index, end: index + match.length, kind: 'mac', score: 0.9, reason: 'a MAC address' }],
  )
