// What an error of the client means for whoever runs the installation.
//   S1. Who was refused, and why, is a fault of its own with a sentence that says what to do: it is not passing, and waiting does not help.
//   S2. No sentence holds a password, a key or a certificate.
import { Fault } from '@baton/contracts/fault'

/** The facts of a client library's error. Its classes are not part of its types. */
export type KafkaError = {
  readonly name: string
  readonly message: string
  readonly type?: string
  readonly code?: unknown
  readonly retriable?: boolean
  readonly host?: string
  readonly port?: number
  readonly cause?: unknown
  readonly originalError?: unknown
  readonly errors?: readonly unknown[]
}

export const kafkaError = (error: unknown): KafkaError =>
  // Whatever is thrown, only optional facts are read of it.
  typeof error === 'object' && error !== null ? (error as KafkaError) : { name: 'Error', message: String(error) }

/** What the refused request was for; each is named in the fault where it is known. */
export type AskedFor = { readonly topic?: string; readonly group?: string }

type Refusal = { readonly reason: string; readonly sentence: string }

const NESTED_MAX = 8
const RIGHTS = '`baton topics --acls --commands` prints the access rules of every service'

/** Causes, outermost first. */
const chainOf = (error: unknown): readonly KafkaError[] => {
  const chain: KafkaError[] = []
  let open: readonly unknown[] = [error]
  while (open.length > 0 && chain.length < NESTED_MAX) {
    const errors = open.filter((one) => typeof one === 'object' && one !== null).map(kafkaError)
    chain.push(...errors)
    open = errors.flatMap(({ cause, originalError, errors: several }) => [cause, originalError, ...(several ?? [])])
  }
  return chain
}

const rightsRefusal = (type: string | undefined, { topic, group }: AskedFor): Refusal | undefined => {
  const named = (what: string, name: string | undefined): string => (name === undefined ? `a ${what}` : `${what} ${name}`)
  switch (type) {
    case 'TOPIC_AUTHORIZATION_FAILED':
      return { reason: 'topic', sentence: `this user has no right to use ${named('topic', topic)} so; ${RIGHTS}` }
    case 'GROUP_AUTHORIZATION_FAILED':
      return { reason: 'group', sentence: `this user has no right to join ${named('group', group)}; ${RIGHTS}` }
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return { reason: 'cluster', sentence: 'this user has no right to do that on the cluster; use one that administers it' }
    case 'SASL_AUTHENTICATION_FAILED':
    case 'ILLEGAL_SASL_STATE':
      return wrongPassword
    case 'UNSUPPORTED_SASL_MECHANISM':
      return mechanism
    default:
      return undefined
  }
}

const wrongPassword: Refusal = {
  reason: 'password',
  sentence: 'the broker does not know this user with this password; check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
}
const mechanism: Refusal = {
  reason: 'mechanism',
  sentence: 'the broker does not offer this way to log in; set KAFKA_SASL_MECHANISM to one that its listener has enabled',
}
const unknownCa: Refusal = {
  reason: 'certificate.unknown',
  sentence: 'the certificate of the broker was issued by an authority that is not trusted here; set KAFKA_SSL_CA to the one that issued it',
}

/** By the code of Node's TLS. */
const TLS_REFUSALS: Readonly<Record<string, Refusal>> = {
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  CERT_SIGNATURE_FAILURE: unknownCa,
  CERT_HAS_EXPIRED: {
    reason: 'certificate.expired',
    sentence: 'the certificate of the broker has expired; give the broker a new one (and check the clock of this machine)',
  },
  CERT_NOT_YET_VALID: {
    reason: 'certificate.early',
    sentence: 'the certificate of the broker is not valid yet; check the clock of this machine',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: 'certificate.name',
    sentence: 'the certificate of the broker is for another host; use a name in KAFKA_BROKERS that it is for, or issue it for this one',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    reason: 'tls.absent',
    sentence: 'this listener of the broker speaks no TLS; use the port of its TLS listener, or leave out KAFKA_SSL*',
  },
}

const BY_ALERT: readonly (readonly [RegExp, Refusal])[] = [
  [
    /ALERT_CERTIFICATE_EXPIRED/,
    { reason: 'own.expired', sentence: 'the broker says that the certificate of this process has expired; issue a new KAFKA_SSL_CERT' },
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_REVOKED)/,
    {
      reason: 'own.refused',
      sentence:
        'the broker does not accept the certificate of this process; check KAFKA_SSL_CERT and KAFKA_SSL_KEY, and what the broker trusts',
    },
  ],
]

const tlsRefusal = (code: unknown): Refusal | undefined => {
  if (typeof code !== 'string') return undefined
  return TLS_REFUSALS[code] ?? BY_ALERT.find(([alert]) => alert.test(code))?.[1]
}

const saslRefusal = ({ name, message }: KafkaError): Refusal | undefined => {
  if (name !== 'KafkaJSSASLAuthenticationError') return undefined
  return /mechanism.*(not|unsupported)|unsupported.*mechanism/i.test(message) ? mechanism : wrongPassword
}

/** The fault of an error by which the broker refused somebody; undefined for every other error. */
export const refusalOf = (error: unknown, asked: AskedFor = {}): Fault | undefined => {
  for (const link of chainOf(error)) {
    const refusal = rightsRefusal(link.type, asked) ?? tlsRefusal(link.code) ?? saslRefusal(link)
    if (refusal === undefined) continue
    return new Fault('bus.unauthorized', `Kafka: ${refusal.sentence}`, { reason: refusal.reason, ...asked }, { cause: error }) // S1, S2
  }
  return undefined
}

/** True when the broker knows who asks and has no such right: trying again does not help. */
export const lacksRights = (error: unknown): boolean =>
  chainOf(error).some(({ type }) => type !== undefined && type.endsWith('_AUTHORIZATION_FAILED'))
