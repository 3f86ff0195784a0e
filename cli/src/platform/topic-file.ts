// Topics of this installation: the manifest, and what `topics.yaml` in the configuration folder says of it. An environment's part goes before
// the general one, a variable before both.
//   F1. Where keys have their place for ever, and where a letter is found by its offset alone, partitions are not for the file to change.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { deadLetterTopic, Fault, SERVICES, topicManifest, TOPICS, type TopicSpec } from '@baton/contracts'
import type { Environment } from '@baton/service'

export type InstalledTopics = {
  readonly topicPrefix: string
  readonly topics: readonly TopicSpec[]
  readonly replicationFactor?: number
  readonly minInsyncReplicas?: number
  readonly flushEveryBatch?: boolean
  /** Topics of other teams that flows name. */
  readonly foreign: { readonly reads: readonly string[]; readonly writes: readonly string[] }
}

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const isUnit = (unit: string): unit is keyof typeof UNITS_MS => Object.hasOwn(UNITS_MS, unit)
const retention = z
  .string()
  .regex(/^[1-9]\d{0,5}[mhd]$/, 'is a time like 30m, 12h or 7d')
  .transform((text) => {
    const unit = text.slice(-1)
    return Number(text.slice(0, -1)) * (isUnit(unit) ? UNITS_MS[unit] : 0)
  })
const replicas = z.number().int().min(1).max(15)
const TopicPart = z.strictObject({
  partitions: z.number().int().min(1).max(1_024).optional(),
  retention: retention.optional(),
  replication: replicas.optional(),
  minInsyncReplicas: replicas.optional(),
})
const Layer = z.strictObject({
  replication: replicas.optional(),
  minInsyncReplicas: replicas.optional(),
  flushEveryBatch: z.boolean().optional(),
  topics: z.record(z.string(), TopicPart).default({}),
})
const names = z.array(z.string().min(1)).default([])
const TopicFile = Layer.extend({
  environments: z.record(z.string(), Layer).default({}),
  otherTeams: z.strictObject({ reads: names, writes: names }).default({ reads: [], writes: [] }),
})
type TopicFile = z.infer<typeof TopicFile>

const EMPTY: TopicFile = TopicFile.parse({})
/** F1. */
const FIXED: ReadonlySet<string> = new Set([...Object.values(TOPICS), ...SERVICES.map(deadLetterTopic)])

const invalid = (reason: string): Fault => new Fault('config.invalid', `topics.yaml: ${reason}`, { file: 'topics.yaml' })

/** Throws `config.invalid` with the first mistake. An empty file says nothing. */
export const parseTopicFile = (text: string): TopicFile => {
  let content: unknown
  try {
    content = parse(text) ?? {}
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error))
  }
  const parsed = TopicFile.safeParse(content)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw invalid(`${issue?.path.join('.') || '(root)'}: ${issue?.message ?? 'is wrong'}`)
}

const readTopicFile = async (folder: string): Promise<TopicFile> => {
  try {
    return parseTopicFile(await readFile(join(folder, 'topics.yaml'), 'utf8'))
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return EMPTY
    throw error
  }
}

const settled = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  // Fields that are undefined are left out, which is all that the type says.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }

type Durability = {
  readonly replication?: number | undefined
  readonly minInsyncReplicas?: number | undefined
  readonly flushEveryBatch?: boolean | undefined
}

/** The first that says something counts. */
const durabilityOf = (
  parts: readonly (Durability | undefined)[],
): Pick<InstalledTopics, 'replicationFactor' | 'minInsyncReplicas' | 'flushEveryBatch'> => {
  const first = <K extends keyof Durability>(key: K): Durability[K] => parts.find((part) => part?.[key] !== undefined)?.[key]
  return settled({
    replicationFactor: first('replication'),
    minInsyncReplicas: first('minInsyncReplicas'),
    flushEveryBatch: first('flushEveryBatch'),
  })
}

const checkNames = (file: TopicFile, manifest: readonly TopicSpec[]): void => {
  const known = new Set(manifest.map(({ name }) => name))
  const layers = [file, ...Object.values(file.environments)]
  for (const [name, { partitions }] of layers.flatMap(({ topics }) => Object.entries(topics))) {
    if (!known.has(name)) throw invalid(`topics.${name}: there is no such topic; \`baton topics\` lists them`)
    if (partitions !== undefined && FIXED.has(name))
      throw invalid(`topics.${name}.partitions: is not for this file; BATON_EVENTS_PARTITIONS sets it for a new installation`) // F1
  }
}

/** The manifest with what a file says of it. Throws `config.invalid`. */
export const planTopics = (
  file: TopicFile,
  {
    eventsPartitions,
    config,
    kafka,
  }: Pick<Environment, 'eventsPartitions' | 'kafka'> & {
    readonly config: Pick<Environment['config'], 'topicPrefix' | 'environment'>
  },
): InstalledTopics => {
  const layer = file.environments[config.environment ?? '']
  const manifest = topicManifest({ eventsPartitions })
  checkNames(file, manifest)
  return {
    topicPrefix: config.topicPrefix,
    topics: manifest.map((spec) => {
      const { retention: retentionMs, ...part } = { ...file.topics[spec.name], ...layer?.topics[spec.name] }
      return { ...spec, ...settled({ ...part, retentionMs }) }
    }),
    ...durabilityOf([kafka, layer, file]),
    foreign: file.otherTeams,
  }
}

/** Topics of the installation that the environment describes. Throws `config.invalid`. */
export const installedTopics = async (environment: Environment): Promise<InstalledTopics> =>
  planTopics(await readTopicFile(environment.config.configDir), environment)
