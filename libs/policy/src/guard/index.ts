export {
  GUARD_ACTIONS,
  type Deadline,
  type Finding,
  type Guard,
  type GuardAction,
  type GuardSettings,
  type GuardVerdict,
  type Inspection,
  type Span,
} from './guard.ts'
export { concluded, findingsOf, guarded, redactedBy, redactedByAll } from './conclude.policy.ts'
export { guardsOf, type NamedGuard } from './named.policy.ts'
export { streamGuard, type StreamGuard, type StreamGuardOptions, type StreamStep } from './stream.policy.ts'
export { piiGuard, PII_KINDS } from './pii.policy.ts'
export { secretsGuard, SECRET_KINDS } from './secrets.policy.ts'
export { injectionGuard } from './injection.policy.ts'
export { harmGuard, HARM_CATEGORIES } from './harm.policy.ts'
export { harmModel } from './harm/harm-model.ts'
export { languageGuard, LANGUAGES } from './language.policy.ts'
export { competitorsGuard, linksGuard, PATTERN_LIMITS, patternsGuard, topicGuard } from './lists.policy.ts'
// Training and measuring the model of harm.
export { packHarm, unpackHarm } from './harm/harm-file.ts'
export { harmScores, trainHarm, type HarmModel, type HarmRow } from './harm/harm-model.policy.ts'
export { findHarmWords } from './harm/harm-words.policy.ts'
