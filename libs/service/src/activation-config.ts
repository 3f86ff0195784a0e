// `policies.yaml`: when a person looks at the output of a step. Absent: never.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Fault, isJsonObject } from '@baton/contracts'
import type { ActivationNeed, ActivationRule } from '@baton/policy/activation'

const UNITS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
const Duration = z
  .string()
  .regex(/^\d+(?:ms|s|m|h|d)$/, 'a duration like 30m or 2h')
  .transform((text) => Number.parseInt(text, 10) * (UNITS.get(/[a-z]+$/.exec(text)?.[0] ?? '') ?? 1))
const Share = z.union([
  z.number().min(0).max(1),
  z
    .string()
    .regex(/^\d+(?:\.\d+)?%$/, 'a share like 2% or 0.02')
    .transform((text) => Number.parseFloat(text) / 100)
    .refine((share) => share <= 1, 'a share of at most 100%'),
])
const Name = z.string().min(1).max(200)
const Need = z.strictObject({
  queue: Name,
  kind: z.enum(['approval', 'edit', 'question', 'label']).optional(),
  title: z.string().max(300).optional(),
  priority: z.enum(['emergency', 'high', 'normal', 'low']).optional(),
  sla: Duration.optional(),
  risk: z.enum(['advisory', 'reversible', 'irreversible']).optional(),
  roles: z.array(Name).max(20).optional(),
  quorum: z
    .strictObject({ n: z.number().int().min(1).max(20), of: z.number().int().min(1).max(20), distinctRoles: z.boolean().default(false) })
    .optional(),
  excludeRequester: z.boolean().optional(),
})
const Rule = z.strictObject({
  rule: Name,
  flow: Name.optional(),
  step: Name.optional(),
  kinds: z
    .array(z.enum(['model', 'tool', 'retrieve', 'check', 'task']))
    .min(1)
    .optional(),
  confidenceBelow: z.number().min(0).max(1).optional(),
  orUnknown: z.boolean().optional(),
  effects: z
    .array(z.enum(['read', 'write', 'irreversible']))
    .min(1)
    .optional(),
  tainted: z.boolean().optional(),
  says: z.array(Name).min(1).optional(),
  firstOfVersion: z.number().int().min(1).max(10_000).optional(),
  sample: Share.optional(),
  blocking: z.boolean().optional(),
  need: Need,
})
const File = z.strictObject({ review: z.array(Rule).max(200).default([]) })

type Present<T extends object> = { [K in keyof T]?: Exclude<T[K], undefined> }
/** The fields that are there. */
export const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T> // of the same keys

const ruleOf = ({ rule: name, need: { sla: slaMs, ...need }, ...rest }: z.infer<typeof Rule>): ActivationRule => {
  const { sample, effects, kinds = effects === undefined ? ['model'] : ['model', 'tool', 'retrieve'] } = rest
  // What is only drawn by chance is looked at afterwards; whatever else applies is looked at before it travels on.
  const blocking = rest.blocking ?? sample === undefined
  const asked = present({ ...need, slaMs, kind: need.kind ?? (blocking ? 'edit' : 'label') }) as ActivationNeed // checked by the schema above
  return present({ ...rest, name, kinds, blocking, need: asked }) as ActivationRule // likewise
}

/** Rules of the text of the file. Throws `config.invalid`. */
export const readActivation = (text: string, file: string): readonly ActivationRule[] => {
  let data: unknown
  try {
    data = parse(text)
  } catch (error) {
    throw new Fault('config.invalid', `${file}: not YAML`, { file }, { cause: error })
  }
  const read = File.safeParse(isJsonObject(data) ? data : {})
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Fault('config.invalid', `${file}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`, { file })
  }
  const rules = read.data.review.map(ruleOf)
  const names = rules.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new Fault('config.invalid', `${file}: two rules are called "${twice}"`, { file })
  return rules
}

/** Rules of the file of a folder of configuration; none where there is no file. */
export const readActivationFile = (path: string): readonly ActivationRule[] => {
  const file = basename(path)
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'))
      throw new Fault('config.invalid', `${file}: cannot be read`, { file }, { cause: error })
  }
  return readActivation(text, file)
}
