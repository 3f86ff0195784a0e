// Guards by the name a flow gives them, for services that cannot ask the validation service piece by piece: streams.
//   N1. Options are as the flow has them; the validation service refuses wrong ones at the end of the stream, when it looks at the whole.
import type { Guard, GuardSettings } from './guard.ts'
import { harmModel } from './harm/harm-model.ts'
import { harmGuard, type HarmSettings } from './harm.policy.ts'
import { injectionGuard, type InjectionSettings } from './injection.policy.ts'
import { languageGuard, type LanguageSettings } from './language.policy.ts'
import {
  competitorsGuard,
  linksGuard,
  patternsGuard,
  topicGuard,
  type CompetitorSettings,
  type LinkSettings,
  type PatternSettings,
  type TopicSettings,
} from './lists.policy.ts'
import { piiGuard, type PiiSettings } from './pii.policy.ts'
import { secretsGuard, type SecretSettings } from './secrets.policy.ts'

/** A guard as a step of a flow names it. */
export type NamedGuard = { readonly guard: string; readonly options: { readonly [option: string]: unknown } }

type Make = (settings: GuardSettings) => Guard

// The casts say what the schema of each guard in the validation service accepts (N1).
const GUARDS: { readonly [name: string]: Make } = {
  pii: (settings) => piiGuard(settings as PiiSettings),
  secrets: (settings) => secretsGuard(settings as SecretSettings),
  injection: (settings) => injectionGuard(settings as InjectionSettings),
  toxicity: (settings) => harmGuard(settings as HarmSettings, harmModel),
  language: (settings) => languageGuard(settings as LanguageSettings),
  topic: (settings) => topicGuard(settings as TopicSettings),
  competitors: (settings) => competitorsGuard(settings as CompetitorSettings),
  links: (settings) => linksGuard(settings as LinkSettings),
  patterns: (settings) => patternsGuard(settings as PatternSettings),
}

/** The guards of a step that look at its input or output, ready for a stream. Checks that are no guards look at the whole only. */
export const guardsOf = (named: readonly NamedGuard[], on: 'input' | 'output'): readonly Guard[] =>
  named
    .filter(({ options }) => options['on'] === undefined || options['on'] === 'both' || options['on'] === on)
    .flatMap(({ guard, options }) => {
      const make = Object.hasOwn(GUARDS, guard) ? GUARDS[guard] : undefined
      return make === undefined ? [] : [make(options as GuardSettings)]
    })
