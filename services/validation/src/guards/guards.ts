// The guards that every installation has, as checks.
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import {
  competitorsGuard,
  HARM_CATEGORIES,
  harmGuard,
  harmModel,
  injectionGuard,
  languageGuard,
  LANGUAGES,
  linksGuard,
  PATTERN_LIMITS,
  patternsGuard,
  PII_KINDS,
  piiGuard,
  SECRET_KINDS,
  secretsGuard,
  topicGuard,
} from '@baton/policy/guard'
import type { Check } from '../checks/check.ts'
import { COMMON_OPTIONS, guardCheck } from './guard.check.ts'

const Share = z.number().min(0).max(1)
const Words = z.array(z.string().trim().min(1).max(200)).min(1).max(1_000)
const WordsByTopic = z.record(z.string().min(1).max(100), Words)
const Domains = z.array(z.string().trim().min(1).max(253)).max(1_000)
const Kind = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower-case letters, digits and _')

const pii = guardCheck(
  'pii',
  z.strictObject({ ...COMMON_OPTIONS, kinds: z.array(z.enum(PII_KINDS)).min(1).optional(), min: Share.optional() }),
  piiGuard,
)

const secrets = guardCheck(
  'secrets',
  z.strictObject({ ...COMMON_OPTIONS, kinds: z.array(z.enum(SECRET_KINDS)).min(1).optional(), min: Share.optional() }),
  secretsGuard,
)

const injection = guardCheck('injection', z.strictObject({ ...COMMON_OPTIONS, max: Share.optional() }), injectionGuard)

const toxicity = guardCheck(
  'toxicity',
  z.strictObject({
    ...COMMON_OPTIONS,
    max: Share.optional(),
    categories: z.array(z.enum(HARM_CATEGORIES)).min(1).optional(),
    by: z.enum(['words', 'model', 'both']).optional(),
  }),
  (options) => harmGuard(options, harmModel),
)

const language = guardCheck(
  'language',
  z.strictObject({
    ...COMMON_OPTIONS,
    allow: z.array(z.enum(LANGUAGES)).min(1),
    min: Share.optional(),
    unknown: z.enum(['allow', 'refuse']).optional(),
  }),
  languageGuard,
)

const competitors = guardCheck('competitors', z.strictObject({ ...COMMON_OPTIONS, names: Words }), competitorsGuard)

const topic = guardCheck(
  'topic',
  z
    .strictObject({
      ...COMMON_OPTIONS,
      allow: WordsByTopic.optional(),
      deny: WordsByTopic.optional(),
      min: z.number().int().min(1).max(100).optional(),
    })
    .refine(({ allow, deny }) => allow !== undefined || deny !== undefined, 'allow or deny is required'),
  topicGuard,
)

const links = guardCheck(
  'links',
  z.strictObject({
    ...COMMON_OPTIONS,
    allow: Domains.optional(),
    deny: Domains.optional(),
    schemes: z
      .array(z.string().regex(/^[a-z][a-z0-9+.-]{0,15}$/))
      .min(1)
      .optional(),
  }),
  linksGuard,
)

const Patterns = z
  .record(Kind, z.string().min(1).max(PATTERN_LIMITS.patternChars))
  .refine((patterns) => Object.keys(patterns).length <= PATTERN_LIMITS.patterns, `at most ${PATTERN_LIMITS.patterns} patterns`)

const patterns = guardCheck('patterns', z.strictObject({ ...COMMON_OPTIONS, patterns: Patterns }), (options) => {
  try {
    return patternsGuard(options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Fault('flow.invalid', `check patterns: option patterns: ${reason}`, { check: 'patterns', field: 'patterns' })
  }
})

/** The guards. */
export const GUARDS: readonly Check[] = [pii, secrets, injection, toxicity, language, topic, competitors, links, patterns]
