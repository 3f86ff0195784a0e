// `policies.yaml`: when a person looks at the output of a step. Absent: never.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Fault, isJsonObject } from '@baton/contracts'
import type { ActivationRule } from '@baton/policy/activation'
import { needOf, present, ReviewNeed, ShortName as Name } from './review-need.ts'

const Share = z.union([
  z.number().min(0).max(1),
  z
    .string()
    .regex(/^\d+(?:\.\d+)?%$/, 'a share like 2% or 0.02')
    .transform((text) => Number.parseFloat(text) / 100)
    .refine((share) => share <= 1, 'a share of at most 100%'),
])
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
  need: ReviewNeed,
})
const File = z.strictObject({ review: z.array(Rule).max(200).default([]) })

const ruleOf = ({ rule: name, need, ...rest }: z.infer<typeof Rule>): ActivationRule => {
  const { sample, effects, kinds = effects === undefined ? ['model'] : ['model', 'tool', 'retrieve'] } = rest
  // What is only drawn by chance is looked at afterwards; whatever else applies is looked at before it travels on.
  const blocking = rest.blocking ?? sample === undefined
  return present({ ...rest, name, kinds, blocking, need: needOf(need, blocking ? 'edit' : 'label') }) as ActivationRule // checked by the schema above
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
