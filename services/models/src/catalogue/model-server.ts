// Where a model is: its server's address and key, and what the catalogue says of both.
//   G3. Secrets are never in the file: they come from the environment, under names that can only be names of keys.
import { Fault } from '@baton/contracts/fault'
import type { ModelEntry, ModelsFile, ServerEntry } from './models-file.ts'
import type { Surroundings } from './surroundings.ts'

export type ModelServer = {
  readonly name: string
  readonly speaks: 'openai' | 'anthropic'
  /** Absent: the provider's own address. */
  readonly url?: string
  readonly key?: string
  readonly pricesOf?: string
  readonly entry: Partial<ServerEntry>
}

type RemoteEntry = Pick<Extract<ModelEntry, { provider: 'openai' | 'anthropic' }>, 'provider' | 'server'>

const variable = (env: Surroundings['env'], name: string | undefined): string | undefined => {
  const value = name === undefined ? undefined : env?.[name]?.trim()
  return value === '' ? undefined : value
}

/** A server that the file names. Undefined: its address or key is not set here. */
const named = (name: string, entry: ServerEntry, env: Surroundings['env']): ModelServer | undefined => {
  const url = variable(env, entry.urlFrom) ?? entry.url
  const key = variable(env, entry.keyFrom) // G3
  if (entry.keyFrom !== undefined && key === undefined) return undefined
  if (entry.speaks === 'openai' && url === undefined) return undefined
  if (entry.speaks === 'anthropic' && key === undefined) return undefined
  return {
    name,
    speaks: entry.speaks,
    entry,
    ...(url === undefined ? {} : { url }),
    ...(key === undefined ? {} : { key }),
    ...(entry.pricesOf === undefined ? {} : { pricesOf: entry.pricesOf }),
  }
}

/** The servers that need no entry: what OPENAI_BASE_URL names, and Anthropic's own where ANTHROPIC_API_KEY is set. */
const implied = (provider: 'openai' | 'anthropic', { openai, env }: Surroundings): ModelServer | undefined => {
  if (provider === 'openai')
    return openai === undefined
      ? undefined
      : { name: 'openai', speaks: 'openai', url: openai.baseUrl, entry: {}, ...(openai.apiKey === undefined ? {} : { key: openai.apiKey }) }
  const key = variable(env, 'ANTHROPIC_API_KEY')
  const url = variable(env, 'ANTHROPIC_BASE_URL')
  if (key === undefined) return undefined
  return { name: 'anthropic', speaks: 'anthropic', key, pricesOf: 'anthropic', entry: {}, ...(url === undefined ? {} : { url }) }
}

/** The server of a model, which stands at `place` in the file. Undefined: not configured here. Throws `config.invalid` for a name that the file does not have. */
export const serverOf = (
  place: string,
  entry: RemoteEntry,
  { file, surroundings }: { file: ModelsFile; surroundings: Surroundings },
): ModelServer | undefined => {
  const wanted = entry.server ?? (Object.hasOwn(file.servers, entry.provider) ? entry.provider : undefined)
  if (wanted === undefined) return implied(entry.provider, surroundings)
  const server = Object.hasOwn(file.servers, wanted) ? file.servers[wanted] : undefined
  if (server === undefined) throw new Fault('config.invalid', `${place}.server: there is no server ${wanted}.`, { place, server: wanted })
  if (server.speaks !== entry.provider)
    throw new Fault('config.invalid', `${place}: the server ${wanted} speaks ${server.speaks}, not ${entry.provider}.`, {
      place,
      server: wanted,
    })
  return named(wanted, server, surroundings.env)
}
