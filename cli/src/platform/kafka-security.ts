import { readFile } from 'node:fs/promises'
import type { KafkaEnvironment } from '@baton/service'

type KafkaSecurity = {
  readonly sasl?: NonNullable<KafkaEnvironment['sasl']>
  readonly ssl?: true | { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

/** Certificates from their files. */
export const kafkaSecurity = async ({ sasl, ssl }: KafkaEnvironment): Promise<KafkaSecurity> => {
  const read = (file: string | undefined): Promise<string | undefined> =>
    file === undefined ? Promise.resolve(undefined) : readFile(file, 'utf8')
  const [ca, cert, key] = await Promise.all([read(ssl?.caFile), read(ssl?.certFile), read(ssl?.keyFile)])
  const files = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
  return {
    ...(sasl === undefined ? {} : { sasl }),
    ...(ssl === undefined ? {} : { ssl: Object.keys(files).length === 0 ? true : files }),
  }
}
