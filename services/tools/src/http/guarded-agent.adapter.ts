// Connections that go only where they may.
//   G1. The address that is checked is the one that is connected to: a name is looked up once, for the connection itself, so that a
//       second answer of the name server changes nothing.
//   G2. Every connection is checked, those that follow a redirect too.
import { lookup as lookUp, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Fault } from '@baton/contracts'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { refusalOf, type AllowList, type Target } from './address.policy.ts'

const CONNECT_MS = 10_000

type Resolve = (host: string, done: (error: Error | null, found: readonly LookupAddress[]) => void) => void

/** The system's own way to find names. */
const systemResolve: Resolve = (host, done) => lookUp(host, { all: true, verbatim: true }, (error, found) => done(error, found ?? []))

const refusal = (target: Target, allowed: AllowList): Fault | undefined => {
  const why = refusalOf(target, allowed)
  if (why === undefined) return undefined
  return new Fault('address.refused', `${target.host} ${why}: calls may not go there`, { host: target.host, port: target.port })
}

/** Finds a name and lets only addresses pass that may be reached; where one of several may not, nobody is called (G1). */
const checkedLookup =
  (port: number, allowed: AllowList, resolve: Resolve): LookupFunction =>
  (host, options, done) => {
    resolve(host, (error, found) => {
      const none: LookupAddress[] = []
      if (error !== null) return done(error, none)
      for (const { address } of found) {
        const fault = refusal({ host, port, address }, allowed)
        if (fault !== undefined) return done(fault, none)
      }
      const [first] = found
      if (first === undefined) return done(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), none)
      if (options.all === true) return done(null, [...found])
      done(null, first.address, first.family)
    })
  }

const portOf = ({ port, protocol }: buildConnector.Options): number => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))

/** A dispatcher of undici whose connections are checked. */
export const guardedAgent = (
  allowed: AllowList,
  { resolve = systemResolve, connections = 64 }: { resolve?: Resolve; connections?: number } = {},
): Agent =>
  new Agent({
    connections,
    connect: (options, done) => {
      const port = portOf(options)
      const host = options.hostname.replace(/^\[|\]$/g, '')
      const fault = isIP(host) === 0 ? undefined : refusal({ host, port, address: host }, allowed)
      if (fault !== undefined) return done(fault, null)
      buildConnector({ timeout: CONNECT_MS, lookup: checkedLookup(port, allowed, resolve) })(options, done)
    },
  })

export type { Dispatcher }
