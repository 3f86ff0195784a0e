// The guards of a step (`guard:`) on what goes into it or comes out of it: all of them, one verdict.
//   J1. Every guard sees the content as it came; the strongest action of all counts.
//   J2. `redact`: the content without what any of them redacts, looked at until none finds anything left to redact.
//   J3. `ask`: a person sees the content (without what is redacted) and why; what they give goes on in its place. Silence is no consent.
//   J4. A guard that could not run is named; whether the content goes on then is for its `onFailure` to say, and closed by default.
//   J5. Any check can guard. What does not pass is blocked, unless `action` says otherwise.
import { GUARD_ACTIONS, type GuardAction } from '@baton/policy/guard'
import { Fault, type Ask, type GuardFinding, type GuardVerdict, type Json, type JsonObject } from '@baton/contracts'
import type { GuardSpec, PlanNode } from '@baton/flow/plan'
import type { Check, CheckResult } from '../checks/check.ts'

export type On = 'input' | 'output'

/** What guards made of content: an answer for the engine, or a question for a person. */
export type GuardOutcome = { readonly verdict: GuardVerdict } | { readonly ask: Ask }

/** A guard of a step with its check and the options that are the check's own. */
type Standing = { readonly check: Check; readonly options: JsonObject; readonly own: JsonObject }
type Look = Standing & { readonly result: CheckResult; readonly action: GuardAction | 'pass' }

const FINDINGS_MAX = 200
const REASONS_MAX = 20
const ROUNDS_MAX = 8
const SIDES = ['input', 'output', 'both']

/** Options that say where a guard stands and what follows, and are not the check's own. */
const split = (options: JsonObject, isGuard: boolean): JsonObject => {
  const { on: _on, queue: _queue, ...own } = options
  if (isGuard) return own
  const { action: _action, ...rest } = own
  return rest
}

const own = new WeakMap<JsonObject, JsonObject>()
/** The same object for the same options: checks keep what they made of them. */
const ownOptions = (options: JsonObject, isGuard: boolean): JsonObject => {
  const known = own.get(options)
  if (known !== undefined) return known
  const made = split(options, isGuard)
  own.set(options, made)
  return made
}

const sideOf = ({ guard, options }: GuardSpec): string => {
  const on = options['on'] ?? 'both'
  if (typeof on === 'string' && SIDES.includes(on)) return on
  throw new Fault('flow.invalid', `guard ${guard}: option on: one of ${SIDES.join(', ')}`, { check: guard, field: 'on' })
}

const standing = (checks: readonly Check[], specs: readonly GuardSpec[], on: On): readonly Standing[] =>
  specs
    .filter((spec) => ['both', on].includes(sideOf(spec)))
    .map(({ guard, options }) => {
      const check = checks.find(({ name }) => name === guard)
      if (check !== undefined) return { check, options, own: ownOptions(options, check.redact !== undefined) }
      throw new Fault('flow.invalid', `no check is called ${guard}; there are ${checks.map(({ name }) => name).join(', ')}`, {
        check: guard,
      })
    })

const isAction = (value: Json | undefined): value is GuardAction => GUARD_ACTIONS.some((action) => action === value)

/** A guard says its action; of another check that does not pass the step says it (J5). */
const actionOf = ({ pass, more, failed }: CheckResult, { check, options }: Standing): GuardAction | 'pass' => {
  const said = more?.['action']
  if (check.redact !== undefined) return isAction(said) ? said : 'pass'
  const wanted = options['action']
  if (pass) return 'pass'
  return failed !== true && isAction(wanted) && wanted !== 'redact' ? wanted : 'block'
}

const findingsOf = ({ check, result, action }: Look): readonly GuardFinding[] => {
  const listed = result.more?.['findings']
  if (Array.isArray(listed)) return listed.map((finding: JsonObject) => ({ guard: check.name, ...finding }) as unknown as GuardFinding) // guard.check.ts makes them
  const { score, reason } = result
  return action === 'pass'
    ? []
    : [{ guard: check.name, kind: check.name, start: 0, end: 0, score: 1 - score, reason: brief(reason), action }]
}

const brief = (text: string): string => (text.length <= 1_000 ? text : `${text.slice(0, 999)}…`)
const rank = ({ action }: Look): number => (action === 'pass' ? GUARD_ACTIONS.length : GUARD_ACTIONS.indexOf(action))

/** The content as it may go on (J2). A text stays a text. */
const redacted = (content: Json, looks: readonly Look[]): Json => {
  const redacting = looks.filter(({ check, result }) => check.redact !== undefined && hasRedacted(result))
  let current = content
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = redacting.reduce((left, { check, own: options }) => check.redact?.(left, options) ?? left, current)
    if (JSON.stringify(next) === JSON.stringify(current)) return current
    current = next
  }
  return '[REDACTED]'
}
const hasRedacted = ({ more }: CheckResult): boolean => more?.['text'] !== undefined || more?.['value'] !== undefined

const verdictOf = (content: Json, looks: readonly Look[]): GuardVerdict => {
  const ranked = looks.toSorted((left, right) => rank(left) - rank(right))
  const action = ranked[0]?.action ?? 'pass'
  const failed = looks.filter(({ result }) => result.failed === true).map(({ check }) => check.name)
  return {
    ok: action !== 'block' && action !== 'ask',
    action,
    score: Math.min(1, ...looks.map(({ result }) => result.score)),
    ...(action === 'redact' ? { value: redacted(content, looks) } : {}),
    findings: ranked.flatMap(findingsOf).slice(0, FINDINGS_MAX),
    reasons: ranked
      .filter((look) => look.action !== 'pass')
      .map(({ check, result }) => brief(`${check.name}: ${result.reason}`))
      .slice(0, REASONS_MAX),
    ...(failed.length === 0 ? {} : { failed }),
  }
}

const WORDS = { input: 'what goes into', output: 'what comes out of' } as const

const askOf = (
  node: PlanNode,
  on: On,
  draft: Json,
  { verdict, looks }: { readonly verdict: GuardVerdict; readonly looks: readonly Look[] },
): Ask => {
  const asking = looks.find(({ action }) => action === 'ask')
  const queue = asking?.options['queue']
  return {
    kind: 'edit',
    use: 'output',
    title: brief(`A guard asks a person to look at ${WORDS[on]} ${node.name ?? node.id}.`).slice(0, 300),
    input: { draft, on, findings: verdict.findings as unknown as Json, reasons: verdict.reasons }, // findings are JSON
    allowed: ['approve', 'edit', 'reject'],
    ...(on === 'output' && node.returns !== undefined ? { schema: node.returns } : {}),
    ...(typeof queue === 'string' ? { queue } : {}),
    risk: node.effect === 'irreversible' ? 'irreversible' : 'reversible',
    reasons: [...verdict.reasons],
  }
}

/** Hears of a guard that could not run (J4). */
type OnFailed = (failed: { readonly check: string; readonly node: string; readonly pass: boolean; readonly reason: string }) => void

/** All guards of a node on its input or output. Throws `flow.invalid` for a guard or option that there is not. */
export const guardStep =
  (checks: readonly Check[], onFailed: OnFailed) =>
  async (node: PlanNode, on: On, content: Json, signal: AbortSignal): Promise<GuardOutcome> => {
    const looks: Look[] = []
    for (const one of standing(checks, node.guard ?? [], on)) {
      const result = await one.check.evaluate(content, one.own, signal)
      if (result.failed === true) onFailed({ check: one.check.name, node: node.id, pass: result.pass, reason: result.reason })
      looks.push({ ...one, result, action: actionOf(result, one) })
    }
    const verdict = verdictOf(content, looks)
    if (verdict.action !== 'ask') return { verdict }
    return { ask: askOf(node, on, redacted(content, looks), { verdict, looks }) } // J3
  }
