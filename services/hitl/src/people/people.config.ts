// `people.yaml`: who has which roles and skills, what is special about a queue, and which addresses outside are told what happens.
//   P1. A mistake stops the start and names the file and the place, never a value. An absent file means: nothing special.
//   P2. Where the file names people, their roles come from it alone. Where it does not, the proxy in front says them in its headers.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Fault, isJsonObject } from '@baton/contracts'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Person } from '../review.ts'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const Duration = z
  .string()
  .regex(/^\d+(?:ms|s|m|h)$/, 'a duration like 10s or 5m')
  .transform((text) => {
    const unit = /[a-z]+$/.exec(text)?.[0]
    return Number.parseInt(text, 10) * (unit === 'ms' || unit === 's' || unit === 'm' || unit === 'h' ? UNITS[unit] : 1)
  })
/** Longer than that a run would be kept waiting for a change of mind. */
const GRACE_MS_MAX = 300_000
const Grace = Duration.refine((ms) => ms <= GRACE_MS_MAX, 'at most 5m')

const Names = z.array(z.string().min(1).max(100)).max(50)
const EVENTS = ['requested', 'claimed', 'escalated', 'decided', 'expired', 'cancelled', 'superseded'] as const

const File = z.strictObject({
  people: z.record(z.string(), z.strictObject({ roles: Names.optional(), skills: Names.optional() })).optional(),
  grace: Grace.optional(),
  queues: z
    .record(z.string(), z.strictObject({ grace: Grace.optional(), sign: z.boolean().optional(), links: z.boolean().optional() }))
    .optional(),
  hooks: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of small letters, digits and hyphens'),
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        /** Name of the variable of the environment that holds the secret. */
        secretEnv: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
        queues: Names.optional(),
        events: z.array(z.enum(EVENTS)).min(1).optional(),
        tries: z.number().int().min(1).max(20).optional(),
      }),
    )
    .optional(),
  /** How many of the last decisions of a person may be made in less than three seconds before somebody is told; a share. */
  hurry: z.number().min(0).max(1).optional(),
})

export type Hook = {
  readonly name: string
  readonly url: string
  readonly secret: string
  /** Absent: all. */
  readonly queues?: readonly string[] | undefined
  readonly events: readonly (typeof EVENTS)[number][]
  readonly tries: number
}
type QueueSettings = { readonly graceMs: number; readonly sign: boolean; readonly links: boolean }
export type PeopleSettings = {
  readonly person: (by: string, said: { readonly roles: readonly string[]; readonly skills: readonly string[] }) => Person
  readonly queue: (name: string) => QueueSettings
  readonly hooks: readonly Hook[]
  readonly hurryShare: number
}

const TRIES = 8
const HURRY_SHARE = 0.5
const DEFAULT_EVENTS = ['requested', 'escalated', 'decided', 'expired'] as const

const hooksOf = (file: string, hooks: z.infer<typeof File>['hooks'], variables: NodeJS.ProcessEnv): readonly Hook[] =>
  Object.entries(hooks ?? {}).map(([name, { url, secretEnv, queues, events = [...DEFAULT_EVENTS], tries = TRIES }]) => {
    const secret = variables[secretEnv] ?? ''
    if (secret.length < 16)
      throw new Fault('config.invalid', `${file}: hooks.${name}: ${secretEnv} is to hold a secret of at least 16 characters`, { file })
    return { name, url, secret, queues, events, tries }
  })

/** Settings as the file has them. Throws `config.invalid` (P1). */
export const readPeople = (text: string, file: string, variables: NodeJS.ProcessEnv): PeopleSettings => {
  let data: unknown
  try {
    data = parse(text)
  } catch (error) {
    throw new Fault('config.invalid', `${file}: not YAML`, { file }, { cause: error })
  }
  const read = File.safeParse(isJsonObject(data) ? data : {})
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Fault('config.invalid', `${file}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`, { file }) // P1
  }
  const { people, grace = 0, queues = {}, hooks, hurry = HURRY_SHARE } = read.data
  return {
    person: (by, said) => {
      if (people === undefined) return { by, ...said }
      const known = Object.hasOwn(people, by) ? people[by] : undefined
      return { by, roles: known?.roles ?? [], skills: known?.skills ?? [], ...(known === undefined ? { known: false } : {}) } // P2
    },
    queue: (name) => ({ graceMs: queues[name]?.grace ?? grace, sign: queues[name]?.sign ?? false, links: queues[name]?.links ?? true }),
    hooks: hooksOf(file, hooks, variables),
    hurryShare: hurry,
  }
}

/** Reads `people.yaml` of the folder of configuration. */
export const readPeopleFile = async (path: string, variables: NodeJS.ProcessEnv = process.env): Promise<PeopleSettings> => {
  const file = basename(path)
  let text = ''
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'))
      throw new Fault('config.invalid', `${file}: cannot be read`, { file }, { cause: error })
  }
  return readPeople(text, file, variables)
}
