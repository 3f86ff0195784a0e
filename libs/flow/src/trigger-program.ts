// A trigger made ready: its expressions compiled once. It comes before the run, so all it sees is what arrived, as `event`.
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { createCompiler } from './expression.ts'
import type { TriggerSpec, ValueExpr } from './plan.ts'
import type { Scope } from './program.ts'
import { evaluateValue } from './value-expr.ts'

export type TriggerProgram = {
  /** Whether the event starts a run. Anything but a boolean is `expression.failed`. */
  matches(event: Json): boolean
  /** What two events have in common that start one run; undefined where the trigger has no key. A key is text or a number. */
  key(event: Json): string | undefined
  /** The input of the run; what arrived where the trigger says none. */
  input(event: Json): Json
}

const EVENT = 'event'
const KEY_CHARS_MAX = 200

/** Throws `flow.invalid` when an expression cannot be compiled. Its functions throw `expression.failed`. */
export const loadTrigger = (spec: TriggerSpec): TriggerProgram => {
  const compile = createCompiler([EVENT])
  const compiled = new Map<string, (scope: Scope) => Json>()
  const evaluate = (cel: string, event: Json): Json => {
    const known = compiled.get(cel)
    return known === undefined ? null : known({ input: null, params: {}, run: null, steps: { [EVENT]: event } })
  }
  const key = spec.kind === 'topic' ? spec.key : undefined
  for (const cel of [spec.when, key, ...(spec.input === undefined ? [] : expressionsOf(spec.input))])
    if (cel !== undefined)
      compiled.set(
        cel,
        compiledOr(() => compile(cel), cel),
      )
  return {
    matches(event) {
      if (spec.when === undefined) return true
      const holds = evaluate(spec.when, event)
      if (typeof holds === 'boolean') return holds
      throw failed(spec.when, `a condition must be true or false, not ${JSON.stringify(holds).slice(0, 100)}`)
    },
    key(event) {
      if (key === undefined) return undefined
      const value = evaluate(key, event)
      if (typeof value === 'number') return String(value)
      if (typeof value !== 'string' || value === '') throw failed(key, 'a key is text or a number')
      if (value.length > KEY_CHARS_MAX) throw failed(key, `the key is longer than ${KEY_CHARS_MAX} characters`)
      return value
    },
    input: (event) => (spec.input === undefined ? event : evaluateValue(spec.input, (cel) => evaluate(cel, event))),
  }
}

const failed = (cel: string, cause: string): Fault =>
  new Fault('expression.failed', `${cel}: ${cause}`, { expression: cel.slice(0, 500), cause })

const compiledOr = <T>(compile: () => T, cel: string): T => {
  try {
    return compile()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Fault('flow.invalid', `${cel}: ${reason}`, { expression: cel.slice(0, 500) }, { cause: error })
  }
}

const expressionsOf = (value: ValueExpr): readonly string[] => {
  if ('cel' in value) return [value.cel]
  if ('list' in value) return value.list.flatMap(expressionsOf)
  return 'object' in value ? Object.values(value.object).flatMap(expressionsOf) : []
}
