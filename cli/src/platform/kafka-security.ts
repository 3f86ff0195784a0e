import { readFile } from 'node:fs/promises'
import { Fault } from '@baton/contracts'
import type { KafkaEnvironment, KafkaLogin, KafkaTls } from '@baton/service'

type KafkaSecurity = {
  readonly sasl?: { readonly mechanism: KafkaLogin['mechanism']; readonly username: string; readonly password: string }
  readonly ssl?: true | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string }
}

const read = async (variable: string, file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unreadable'
    throw new Fault('config.invalid', `${variable}: the file cannot be read (${reason})`, {}, { cause: error })
  }
}

/** Text as it is, or that of the file. */
const textOf = async (variable: string, text: string | undefined, file: string | undefined): Promise<string | undefined> =>
  text ?? (file === undefined ? undefined : read(`${variable}_FILE`, file))

const tlsOf = async (ssl: KafkaTls): Promise<NonNullable<KafkaSecurity['ssl']>> => {
  const [ca, cert, key] = await Promise.all([
    textOf('KAFKA_SSL_CA', ssl.ca, ssl.caFile),
    textOf('KAFKA_SSL_CERT', ssl.cert, ssl.certFile),
    textOf('KAFKA_SSL_KEY', ssl.key, ssl.keyFile),
  ])
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ssl.keyPassword === undefined ? {} : { passphrase: ssl.keyPassword }),
  }
  return Object.keys(files).length === 0 ? true : files
}

const loginOf = async ({ mechanism, username, password, passwordFile }: KafkaLogin): Promise<NonNullable<KafkaSecurity['sasl']>> => {
  const secret = (await textOf('KAFKA_SASL_PASSWORD', password, passwordFile)) ?? ''
  // An editor ends a file with a line end, which is no part of a password.
  return { mechanism, username, password: secret.replace(/\r?\n$/, '') }
}

/** Certificates, key and password, from their files where they are in files. Throws `config.invalid`, never with what a file holds. */
export const kafkaSecurity = async ({ sasl, ssl }: KafkaEnvironment): Promise<KafkaSecurity> => ({
  ...(sasl === undefined ? {} : { sasl: await loginOf(sasl) }),
  ...(ssl === undefined ? {} : { ssl: await tlsOf(ssl) }),
})
