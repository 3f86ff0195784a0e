// `check.evaluate`: the checks of a node on one input. The output is data and the gate decides; `must: true` makes it a fault.
//   E1. One check that does not pass makes the whole not pass; the score is the lowest, the reason that of the first that failed.
//   E2. A check with `must: true` that does not pass ends the step with `check.failed` and its reason.
//   E3. Where checks redact, `text` (or `value`) is the input without what any of them redacts; every check sees the input as it came.
//   E4. A check that could not run is told to the operator, whether what it let pass or not.
//   E5. A command that carries `guard` is of a step of any kind: its guards look at the content, and the answer is a `GuardVerdict`.
import { Fault, isJsonObject, type Json, type JsonObject, type Meter } from '@baton/contracts'
import type { WorkContext, WorkHandler, WorkResult } from '@baton/service'
import type { Check, CheckResult } from './checks/check.ts'
import { guardStep } from './guards/guard-step.ts'

type Named = CheckResult & { readonly check: string }

/** Hears of a check that could not run. */
export type OnFailed = (failed: { readonly check: string; readonly node: string; readonly pass: boolean; readonly reason: string }) => void

const viewOf = ({ check, pass, score, reason, more }: Named): JsonObject => ({ check, pass, score, reason, ...more })

/** What the step gives: verdict, score, reason, each check's own findings, those of a single check also at the top. */
const outputOf = (results: readonly Named[]): JsonObject => {
  const [only] = results
  const failed = results.find(({ pass }) => !pass)
  const summary = {
    pass: failed === undefined,
    score: Math.min(1, ...results.map(({ score }) => score)),
    reason: failed?.reason ?? only?.reason ?? 'nothing to check',
    checks: results.map(viewOf),
  }
  return results.length === 1 ? { ...only?.more, ...summary } : summary // E1
}

const checkOf = (checks: readonly Check[], name: string): Check => {
  const check = checks.find((candidate) => candidate.name === name)
  if (check !== undefined) return check
  const known = checks.map((candidate) => candidate.name).join(', ')
  throw new Fault('flow.invalid', `no check is called ${name}; there are ${known}`, { check: name })
}

const hasRedacted = ({ more }: CheckResult): boolean => more?.['text'] !== undefined || more?.['value'] !== undefined

type Redacting = { readonly check: Check; readonly options: JsonObject }

/** What may go on when several checks ran and one or more redacted (E3). */
const redactedInput = (input: Json, results: readonly Named[], redacting: readonly Redacting[]): JsonObject => {
  if (results.length < 2 || redacting.length === 0) return {}
  const clean = redacting.reduce((left, { check, options }) => check.redact?.(left, options) ?? left, input)
  const isText = results.some(({ more }) => more?.['text'] !== undefined)
  return isText && isJsonObject(clean) ? { text: clean['text'] ?? '' } : { [isText ? 'text' : 'value']: clean }
}

/** The output, with the same clean text at the top and in each check that redacted: none of them gives what another found (E3). */
const withRedacted = (input: Json, results: readonly Named[], redacting: readonly Redacting[]): JsonObject => {
  const clean = redactedInput(input, results, redacting)
  const shared = results.map((result) => (hasRedacted(result) ? { ...result, more: { ...result.more, ...clean } } : result))
  return { ...outputOf(shared), ...clean }
}

type Taking = { readonly startedAtMs: number; readonly started: number }

const meterOf = ({ startedAtMs, started }: Taking, input: Json, output: Json): Meter => ({
  startedAtMs,
  latencyMs: performance.now() - started,
  tries: 1,
  inputChars: JSON.stringify(input).length,
  outputChars: JSON.stringify(output).length,
  costMicroUsd: 0,
})

type Checks = Extract<WorkContext['node'], { readonly kind: 'check' }>['checks']

/** The handler of `check.evaluate`. */
export const checkEvaluate = (checks: readonly Check[], onFailed: OnFailed = () => {}): WorkHandler => {
  const guards = guardStep(checks, onFailed)
  const evaluateAll = async (specs: Checks, { node, input, signal }: WorkContext): Promise<{ output: JsonObject; by: string }> => {
    const results: Named[] = []
    const redacting: Redacting[] = []
    for (const { check: name, options } of specs) {
      const check = checkOf(checks, name)
      const result = await check.evaluate(input, options, signal)
      if (result.failed === true) onFailed({ check: name, node: node.id, pass: result.pass, reason: result.reason }) // E4
      if (!result.pass && options['must'] === true)
        throw new Fault('check.failed', `${name}: ${result.reason}`, { check: name, score: result.score }) // E2
      results.push({ check: name, ...result })
      if (hasRedacted(result)) redacting.push({ check, options })
    }
    return { output: withRedacted(input, results, redacting), by: results.map(({ check }) => check).join(',') }
  }
  return async ({ guard }, context): Promise<WorkResult> => {
    const { node, input, nowMs, signal } = context
    const taking: Taking = { startedAtMs: nowMs(), started: performance.now() }
    if (guard !== undefined) {
      const outcome = await guards(node, guard.on, input, signal) // E5
      if ('ask' in outcome) return { status: 'asks', ask: outcome.ask, meter: meterOf(taking, input, null) }
      const verdict = outcome.verdict as unknown as Json // of JSON only: contracts/messages/guard.ts
      return { status: 'answered', output: verdict, by: 'check:guard', meter: meterOf(taking, input, verdict) }
    }
    if (node.kind !== 'check') throw new Fault('flow.invalid', `node ${node.id} checks nothing`, { node: node.id })
    const { output, by } = await evaluateAll(node.checks, context)
    return { status: 'answered', output, by: `check:${by}`, meter: meterOf(taking, input, output) }
  }
}
