// A guard as a check: options read, texts found, time and size bounded, the verdict in the shape of every check.
//   U1. A guard that cannot run (time, size, its own failure) does not let the content pass; `onFailure: open` lets it, and says so.
//   U2. Findings say where and what, never what was read: they go into journals and logs.
//   U3. With `redact`, `text` (or `value`, where the input is no text) is the input as it may go on.
import { z } from 'zod'
import { Fault, isJsonObject, toFault, type Json, type JsonObject } from '@baton/contracts'
import { concluded, findingsOf, GUARD_ACTIONS, redactedBy, type Deadline, type Finding, type Guard } from '@baton/policy/guard'
import type { Check, CheckResult } from '../checks/check.ts'
import { parseOptions } from '../checks/parse.ts'
import { mapTexts, textsOf, type PlacedText } from './texts.policy.ts'

const Action = z.enum(GUARD_ACTIONS)
const Placeholder = z.string().max(100)

/** Options of every guard. */
export const COMMON_OPTIONS = {
  action: Action.optional(),
  /** By kind. */
  actions: z.record(z.string().max(100), Action).optional(),
  placeholders: z.record(z.string().max(100), Placeholder).optional(),
  /** Time to look; what takes longer could not run. */
  budgetMs: z.number().int().min(1).max(60_000).default(1_000),
  /** Characters read; a longer input could not be looked at. */
  maxChars: z.number().int().min(1).max(2_000_000).default(200_000),
  onFailure: z.enum(['closed', 'open']).default('closed'),
}

type Common = { readonly budgetMs: number; readonly maxChars: number; readonly onFailure: 'closed' | 'open' }

/** Findings listed; more are counted. */
const LISTED_MAX = 200

const tooLong = (name: string, maxChars: number): Fault =>
  new Fault('handler.failed', `guard ${name}: the input has more than the ${maxChars} characters it may read`, { guard: name, maxChars })

const deadlineOf = (name: string, budgetMs: number, signal?: AbortSignal): Deadline => {
  const started = performance.now()
  return () => {
    if (signal?.aborted === true || performance.now() - started > budgetMs)
      throw new Fault('handler.failed', `guard ${name}: not finished within its ${budgetMs} ms`, { guard: name, budgetMs })
  }
}

/** A text, or an object of nothing but a text, is looked at as one text; of any other value every text is. */
const readInput = (input: Json): { readonly texts: readonly PlacedText[]; readonly isText: boolean } => {
  const only = isJsonObject(input) && Object.keys(input).length === 1 ? input['text'] : input
  return typeof only === 'string' ? { texts: [{ at: '', text: only }], isText: true } : { texts: textsOf(input), isText: false }
}

const viewOf = (finding: Finding, at: string, isText: boolean): JsonObject => {
  const { kind, start, end, score, reason, action } = finding
  return { kind, start, end, score, reason, action, ...(isText ? {} : { at }) } // U2
}

const inspect = (guard: Guard, input: Json, common: Common, signal: AbortSignal): CheckResult => {
  const { texts, isText } = readInput(input)
  if (texts.reduce((chars, { text }) => chars + text.length, 0) > common.maxChars) throw tooLong(guard.name, common.maxChars)
  const deadline = deadlineOf(guard.name, common.budgetMs, signal)
  const looks = texts.map(({ at, text }) => {
    deadline()
    return { at, ...findingsOf(guard, text, deadline) }
  })
  const verdict = concluded(
    looks.flatMap(({ findings }) => findings),
    Math.max(0, ...looks.map(({ risk }) => risk)),
  )
  const placed = looks.flatMap(({ at, findings }) => findings.map((finding) => viewOf(finding, at, isText)))
  const redacts = verdict.findings.some(({ action }) => action === 'redact')
  const clean = redacts ? redactedInput(guard, input, deadline) : undefined
  return {
    pass: verdict.ok,
    score: verdict.score,
    reason: verdict.reason,
    more: {
      ok: verdict.ok,
      action: verdict.action,
      findings: placed.slice(0, LISTED_MAX),
      ...(placed.length > LISTED_MAX ? { unlisted: placed.length - LISTED_MAX } : {}),
      ...(clean === undefined ? {} : isText ? { text: clean } : { value: clean }), // U3
    },
  }
}

const redactedInput = (guard: Guard, input: Json, deadline: Deadline): Json => {
  const { texts, isText } = readInput(input)
  return isText ? redactedBy(guard, texts[0]?.text ?? '', deadline) : mapTexts(input, (text) => redactedBy(guard, text, deadline))
}

/** Faults of the flow stay faults; any other failure is a verdict (U1). */
const unable = (error: unknown, { onFailure }: Common): CheckResult => {
  const fault = toFault(error)
  if (fault.code === 'flow.invalid' || fault.code === 'tool.arguments_invalid') throw fault
  const pass = onFailure === 'open'
  // The message of an unforeseen error may hold what was read (U2).
  const why = error instanceof Fault ? fault.message : 'the guard failed'
  const reason = `could not run (${why}), ${pass ? 'let pass because it is open' : 'not let pass because it is closed'}`
  return {
    pass,
    score: pass ? 1 : 0,
    reason,
    failed: true,
    more: { ok: pass, action: pass ? 'flag' : 'block', findings: [], failed: true },
  }
}

/** A check of a guard. `make` throws `flow.invalid` for settings that a schema cannot refuse. */
export const guardCheck = <S extends z.ZodType<Common>>(name: string, schema: S, make: (options: z.output<S>) => Guard): Check => {
  // Options are of a plan, which is kept: a guard is made once for them.
  const made = new WeakMap<JsonObject, { guard: Guard; common: Common }>()
  const guardOf = (options: JsonObject): { guard: Guard; common: Common } => {
    const known = made.get(options)
    if (known !== undefined) return known
    const parsed = parseOptions(name, schema, options)
    const guard = { guard: make(parsed), common: parsed }
    made.set(options, guard)
    return guard
  }
  return {
    name,
    evaluate: (input, options, signal) => {
      const { guard, common } = guardOf(options)
      try {
        return inspect(guard, input, common, signal)
      } catch (error) {
        return unable(error, common)
      }
    },
    redact: (input, options) => {
      const { guard, common } = guardOf(options)
      const clean = redactedInput(guard, input, deadlineOf(name, common.budgetMs))
      return typeof clean === 'string' && isJsonObject(input) ? { text: clean } : clean
    },
  }
}
