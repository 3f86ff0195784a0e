// A route in YAML: a name, a list (fallback in that order), or one of the choices; nested as deep as it makes sense.
import type { AcceptSpec, RouteTree } from '@baton/policy/routing'
import { needOf, ReviewNeed } from '@baton/service'
import { z } from 'zod'
import { Duration, Name } from './shared.ts'

/** An artefact of `baton models train-router` or `tune`, relative to the flows folder. */
const Artefact = z
  .string()
  .min(1)
  .max(200)
  .refine((path) => !path.split(/[\\/]/).includes('..') && !path.startsWith('/'), 'must stay inside the flows folder')

const Share = z.number().min(0).max(1)
const Sticky = z.enum(['run', 'session', 'user', 'tenant'])
const Weights = z
  .strictObject({ quality: Share.default(0), price: Share.default(0), latency: Share.default(0), load: Share.default(0) })
  .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'at least one part has to count')

const Accept = z
  .strictObject({
    confidence: Share.optional(),
    judge: Artefact.optional(),
    probability: Share.optional(),
    repaired: z.boolean().optional(),
  })
  .transform(({ confidence, probability, ...rest }): AcceptSpec => ({
    ...(rest.judge === undefined ? {} : { judge: rest.judge }),
    ...(rest.repaired === undefined ? {} : { repaired: rest.repaired }),
    ...(confidence === undefined ? {} : { confidenceMin: confidence }),
    ...(probability === undefined ? {} : { probabilityMin: probability }),
  }))

/** Who is asked when no answer of a cascade is good enough: like `need` of a rule in policies.yaml. */
const Person = z.strictObject({ person: ReviewNeed.extend({ kind: z.enum(['approval', 'edit']).optional() }) }).transform(({ person }) => ({
  person: needOf(person, 'edit'),
}))

const DEPTH_MAX = 8
const depthOf = (tree: unknown): number =>
  typeof tree === 'object' && tree !== null ? 1 + Math.max(0, ...Object.values(tree).map(depthOf)) : 0

const many = z
  .array(z.lazy(() => Tree))
  .min(1)
  .max(50)
const one = z.lazy(() => Tree)

/** The key that says which choice an object is. */
const KINDS = ['fallback', 'weighted', 'when', 'cheapest', 'fastest', 'balanced', 'learned', 'cascade', 'shadow', 'canary'] as const

const Choices = {
  fallback: z.strictObject({ fallback: many }).transform(({ fallback }): RouteTree => ({ kind: 'fallback', of: fallback })),
  weighted: z
    .strictObject({
      weighted: z
        .array(z.strictObject({ weight: z.number().nonnegative(), use: one }))
        .min(1)
        .max(50),
      sticky: Sticky.optional(),
    })
    .transform(({ weighted: of, sticky }): RouteTree => ({ kind: 'weighted', of, ...(sticky === undefined ? {} : { sticky }) })),
  when: z
    .strictObject({
      when: z
        .array(z.union([z.strictObject({ if: z.string().min(1).max(2_000), use: one }), z.strictObject({ else: one })]))
        .min(1)
        .max(50),
    })
    .transform(({ when }): RouteTree => ({
      kind: 'when',
      rules: when.map((rule) => ('else' in rule ? { use: rule.else } : { if: rule.if, use: rule.use })),
    })),
  cheapest: z.strictObject({ cheapest: many, quality: Share.optional() }).transform(({ cheapest, quality }): RouteTree => ({
    kind: 'cheapest',
    of: cheapest,
    ...(quality === undefined ? {} : { qualityMin: quality }),
  })),
  fastest: z.strictObject({ fastest: many, within: Duration.optional() }).transform(({ fastest, within }): RouteTree => ({
    kind: 'fastest',
    of: fastest,
    ...(within === undefined ? {} : { withinMs: within }),
  })),
  balanced: z
    .strictObject({ balanced: many, weights: Weights.optional() })
    .transform(({ balanced, weights }): RouteTree => ({ kind: 'balanced', of: balanced, ...(weights === undefined ? {} : { weights }) })),
  learned: z.strictObject({ learned: many, router: Artefact, ok: Share.optional() }).transform(({ learned, router, ok }): RouteTree => ({
    kind: 'learned',
    of: learned,
    router,
    ...(ok === undefined ? {} : { okMin: ok }),
  })),
  cascade: z
    .strictObject({
      cascade: z
        .array(z.union([Person, z.strictObject({ use: one, accept: Accept.optional() }), one.transform((use) => ({ use }))]))
        .min(2)
        .max(10)
        .refine((stages) => stages.every((stage, at) => 'use' in stage || at === stages.length - 1), 'a person comes last'),
    })
    .transform(({ cascade }): RouteTree => {
      const last = cascade.at(-1)
      return {
        kind: 'cascade',
        stages: cascade.flatMap((stage) =>
          'use' in stage ? [{ use: stage.use, ...('accept' in stage && stage.accept !== undefined ? { accept: stage.accept } : {}) }] : [],
        ),
        ...(last !== undefined && 'person' in last ? { person: last.person } : {}),
      }
    }),
  shadow: z
    .strictObject({ shadow: one, of: one, share: Share.default(1) })
    .transform(({ shadow, of, share }): RouteTree => ({ kind: 'shadow', use: of, copy: shadow, share })),
  canary: z
    .strictObject({ canary: one, of: one, share: Share, sticky: Sticky.default('session'), salt: z.string().max(100).optional() })
    .transform(({ canary, of, share, sticky, salt }): RouteTree => ({
      kind: 'canary',
      use: of,
      canary,
      share,
      sticky,
      ...(salt === undefined ? {} : { salt }),
    })),
} as const satisfies Record<(typeof KINDS)[number], z.ZodType<RouteTree>>

const schemaOf = (value: unknown): z.ZodType<RouteTree> | undefined => {
  if (typeof value === 'string') return Named
  if (Array.isArray(value)) return Listed
  const kind = typeof value === 'object' && value !== null ? KINDS.find((known) => Object.hasOwn(value, known)) : undefined
  return kind === undefined ? undefined : Choices[kind]
}

const Named = Name.transform((name): RouteTree => ({ kind: 'use', name }))
const Listed = many.transform((of): RouteTree => ({ kind: 'fallback', of }))

/** Reads a route by what it is, not by trial, so that a mistake is told of the choice that was meant. */
const Tree: z.ZodType<RouteTree> = z.unknown().transform((value, context): RouteTree => {
  const schema = schemaOf(value)
  if (schema === undefined) {
    context.addIssue({ code: 'custom', message: `a route is a name, a list, or one of ${KINDS.join(', ')}`, input: value })
    return z.NEVER
  }
  const read = schema.safeParse(value)
  if (read.success) return read.data
  for (const { message, path } of read.error.issues) context.addIssue({ code: 'custom', message, path: [...path], input: value })
  return z.NEVER
})

/** A route, read into the tree that the policy walks. */
export const RouteSchema: z.ZodType<RouteTree> = z
  .unknown()
  .refine((value) => depthOf(value) <= DEPTH_MAX * 2, `nested deeper than ${DEPTH_MAX} choices`)
  .pipe(Tree)
