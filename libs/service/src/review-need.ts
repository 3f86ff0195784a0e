// Whom a file of configuration wants to be asked, and how.
import { z } from 'zod'
import type { ActivationNeed } from '@baton/policy/activation'

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
export const ShortName = z.string().min(1).max(200)
/** Whom to ask, and how, as files of configuration say it. */
export const ReviewNeed = z.strictObject({
  queue: ShortName,
  kind: z.enum(['approval', 'edit', 'question', 'label']).optional(),
  title: z.string().max(300).optional(),
  priority: z.enum(['emergency', 'high', 'normal', 'low']).optional(),
  sla: Duration.optional(),
  risk: z.enum(['advisory', 'reversible', 'irreversible']).optional(),
  roles: z.array(ShortName).max(20).optional(),
  quorum: z
    .strictObject({ n: z.number().int().min(1).max(20), of: z.number().int().min(1).max(20), distinctRoles: z.boolean().default(false) })
    .optional(),
  excludeRequester: z.boolean().optional(),
})
type Present<T extends object> = { [K in keyof T]?: Exclude<T[K], undefined> }
/** The fields that are there. */
export const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T> // of the same keys

/** What was read, in the words of the policies. `kind`: where the file names none. */
export const needOf = ({ sla: slaMs, ...need }: z.infer<typeof ReviewNeed>, kind: ActivationNeed['kind']): ActivationNeed =>
  present({ ...need, slaMs, kind: need.kind ?? kind }) as ActivationNeed // checked by the schema above
