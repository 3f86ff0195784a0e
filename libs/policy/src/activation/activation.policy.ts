// When a person looks at the output of a step before it travels on, or afterwards, by rules of configuration.
//   V1. All conditions of a rule hold, or it does not apply. The first rule that stops the run says whom to ask; the reasons of all that
//       apply are kept.
//   V2. Chance depends on the run, the place and the rule alone: a redelivery, a restart and a replay choose the same runs.
//   V3. A sample never stops a run, and is drawn from what no rule stopped: so it says how often what went on alone was right.
import type { Json } from '@baton/contracts/json'
import { seededRandom } from '../seeded-random.policy.ts'

export type ActivationKind = 'model' | 'tool' | 'retrieve' | 'check' | 'task'

/** Whom to ask, and how. */
export type ActivationNeed = {
  readonly queue: string
  readonly kind: 'approval' | 'edit' | 'question' | 'label'
  readonly title?: string
  readonly priority?: 'emergency' | 'high' | 'normal' | 'low'
  readonly slaMs?: number
  readonly risk?: 'advisory' | 'reversible' | 'irreversible'
  readonly roles?: readonly string[]
  readonly quorum?: { readonly n: number; readonly of: number; readonly distinctRoles: boolean }
  readonly excludeRequester?: boolean
}

export type ActivationRule = {
  readonly name: string
  /** `support/*` for all of a namespace. */
  readonly flow?: string
  /** A node of the plan: its id, or what its id begins with before `/*`. */
  readonly step?: string
  readonly kinds: readonly ActivationKind[]
  readonly confidenceBelow?: number
  /** Outputs without a confidence count as unsure. */
  readonly orUnknown?: boolean
  /** What the step may do to the world. */
  readonly effects?: readonly ('read' | 'write' | 'irreversible')[]
  /** Content from outside came into the run. */
  readonly tainted?: boolean
  /** One of these is in the input, whatever the case: somebody asks for a person. */
  readonly says?: readonly string[]
  /** The first runs of each version of the flow. */
  readonly firstOfVersion?: number
  /** A share from 0 to 1, by chance. */
  readonly sample?: number
  /** Whether the run waits. */
  readonly blocking: boolean
  readonly need: ActivationNeed
}

export type ActivationFacts = {
  readonly runId: string
  readonly path: string
  readonly flow: string
  readonly nodeId: string
  readonly kind: string
  readonly effect: string
  readonly confidence: number | undefined
  readonly taint: readonly string[]
  readonly input: Json
}

export type Activation = {
  readonly stops?: { readonly rule: ActivationRule; readonly reasons: readonly string[] }
  readonly samples: readonly ActivationRule[]
}

const matches = (pattern: string | undefined, value: string): boolean => {
  if (pattern === undefined || pattern === value || pattern === '*') return true
  return pattern.endsWith('/*') && value.startsWith(pattern.slice(0, -1))
}

/** Whether the rule is about this step at all. */
export const concerns = (rule: ActivationRule, facts: Pick<ActivationFacts, 'flow' | 'nodeId' | 'kind'>): boolean =>
  matches(rule.flow, facts.flow) && matches(rule.step, facts.nodeId) && rule.kinds.some((kind) => kind === facts.kind)

/** FNV-1a over the text, to begin the random numbers of a place with. */
const seedOf = (text: string): number => {
  let hash = 0x81_1c_9d_c5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93) >>> 0
  return hash
}

/** Whether chance chooses this place for this rule (V2). */
export const drawn = (share: number, { runId, path, rule }: { runId: string; path: string; rule: string }): boolean =>
  seededRandom(seedOf(`${rule}\n${runId}\n${path}`))() < share

const DEPTH_MAX = 6
const saidIn = (value: Json, wanted: readonly string[], depth = 0): boolean => {
  if (typeof value === 'string') {
    const text = value.toLowerCase()
    return wanted.some((part) => text.includes(part))
  }
  if (typeof value !== 'object' || value === null || depth >= DEPTH_MAX) return false
  return Object.values(value).some((part: Json) => saidIn(part, wanted, depth + 1))
}

type Condition = (rule: ActivationRule, facts: ActivationFacts, counted: ReadonlySet<string>) => string | false | undefined

/** Each says why it holds, false when it does not, and undefined when the rule does not ask. */
const CONDITIONS: readonly Condition[] = [
  ({ confidenceBelow, orUnknown = false }, { confidence }) => {
    if (confidenceBelow === undefined) return undefined
    if (confidence === undefined) return orUnknown && 'it is not known how sure the machine is'
    return confidence < confidenceBelow && `confidence ${confidence} is below ${confidenceBelow}`
  },
  ({ effects }, { effect }) => (effects === undefined ? undefined : effects.some((one) => one === effect) && `its effect is ${effect}`),
  ({ tainted }, { taint }) => {
    if (tainted === undefined) return undefined
    return (
      taint.length > 0 === tainted &&
      (tainted ? `content from outside is in the run: ${taint.join(', ')}` : 'nothing from outside is in the run')
    )
  },
  ({ says }, { input }) =>
    says === undefined
      ? undefined
      : saidIn(
          input,
          says.map((one) => one.toLowerCase()),
        ) && 'a person is asked for',
  ({ firstOfVersion, name }, _, counted) =>
    firstOfVersion === undefined ? undefined : counted.has(name) && `one of the first ${firstOfVersion} of this version`,
  ({ sample, name }, { runId, path }) =>
    sample === undefined
      ? undefined
      : drawn(sample, { runId, path, rule: name }) && `chosen by chance, ${Math.round(sample * 10_000) / 100} of 100`,
]

/** Why the rule applies; undefined when it does not (V1). */
const applies = (rule: ActivationRule, facts: ActivationFacts, counted: ReadonlySet<string>): readonly string[] | undefined => {
  if (!concerns(rule, facts)) return undefined
  const reasons: string[] = []
  for (const condition of CONDITIONS) {
    const said = condition(rule, facts, counted)
    if (said === false) return undefined
    if (said !== undefined) reasons.push(`${rule.name}: ${said}`)
  }
  return reasons.length === 0 ? [`${rule.name}: always`] : reasons
}

/** Rules that need to know how many runs of this version there were. */
export const countedRules = (rules: readonly ActivationRule[], facts: ActivationFacts): readonly ActivationRule[] =>
  rules.filter((rule) => rule.firstOfVersion !== undefined && concerns(rule, facts))

/** What the rules say of an output. `counted`: names of those for which this run is one of the first of its version. */
export const activate = (
  rules: readonly ActivationRule[],
  facts: ActivationFacts,
  counted: ReadonlySet<string> = new Set(),
): Activation => {
  const applied = rules.flatMap((rule) => {
    const reasons = applies(rule, facts, counted)
    return reasons === undefined ? [] : [{ rule, reasons }]
  })
  const stopping = applied.filter(({ rule }) => rule.blocking)
  const [first] = stopping
  if (first === undefined) return { samples: applied.map(({ rule }) => rule) } // V3
  return { stops: { rule: first.rule, reasons: stopping.flatMap(({ reasons }) => reasons) }, samples: [] }
}
