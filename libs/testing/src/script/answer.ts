// What a test says that models, tools, services and people answer.
//   A1. An object with the words of a script is a script; every other value is an output. `{ gives }` holds an output that looks like one.
import { FAULTS, isFaultCode, type FaultCode } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { Verdict } from '@baton/contracts'
import { didYouMean } from '@baton/flow'
import { microUsdOf, millisecondsOf, type Time } from '../units.ts'

/** What an answer takes and costs, and who gave it. */
type Aside = {
  /** How long it takes. `never`: there is no answer. */
  readonly takes?: Time
  /** US dollars: `0.002`, `0.002 USD`. */
  readonly cost?: number | string
  readonly tokens?: number
  readonly by?: string
  /** Parts that did not fit the context of a model or agent. */
  readonly leftOut?: readonly { readonly part: string; readonly tokens?: number; readonly how?: string }[]
}

/** An output with what is to be said about it. */
export type Gives = Aside & { readonly gives: Json; readonly confidence?: number }
/** A failure, always or the first `times`; then what `gives` holds, or what stands next. */
export type Fails = Aside & { readonly fails: FaultCode; readonly message?: string; readonly times?: number; readonly gives?: Json }
/** A turn of an agent that asks for calls. */
export type Calls = Aside & { readonly calls: readonly { readonly tool: string; readonly arguments?: JsonObject; readonly id?: string }[] }
/** What a person does, and after how long. */
export type Decides = {
  readonly decides: Verdict
  readonly output?: Json
  readonly after?: Time
  readonly by?: string
  readonly reason?: string
}
/** Silence. */
export type Never = { readonly takes: 'never' }

export type Script = Json | Gives | Fails | Calls | Never
/** What one asking is told. */
export type Asking = {
  /** Place in the run: `answer`, `findings[3]/ballot`. */
  readonly path: string
  /** Model, tool, queue, index, task or check that is asked. */
  readonly name: string
  readonly kind: string
  readonly flow: string
  readonly input: Json
  readonly attempt: number
  /** Tries within the attempt, from 1. */
  readonly tries: number
  /** How often this script was asked before. */
  readonly before: number
  /** Of a model, as it is sent. */
  readonly prompt?: string
  readonly system?: string
  /** Why a model is asked again. */
  readonly feedback?: string
  /** Number of a turn of an agent, and the results of its calls. */
  readonly turn?: { readonly number: number; readonly agent: string; readonly use: 'turn' | 'check'; readonly results: Json }
}
/** One answer for every asking, a list with one for each, or a function. A list that is an output stands in `{ gives: [...] }`. */
export type Answer = Script | readonly Script[] | ((asking: Asking) => Script | Promise<Script>)
/** What a person does every time, or one after the other. `never` is silence. */
export type PersonAnswer = Decides | 'never' | readonly (Decides | 'never')[] | ((asking: Asking) => Decides | 'never')

/** An answer as the test carries it out. */
export type Act = {
  readonly takesMs: number
  readonly costMicroUsd: number
  readonly tokens?: number
  readonly by?: string
  readonly leftOut?: readonly { readonly part: string; readonly tokens: number; readonly how: string }[]
  readonly does:
    | { readonly is: 'gives'; readonly output: Json; readonly confidence?: number }
    | { readonly is: 'fails'; readonly code: FaultCode; readonly message?: string }
    | { readonly is: 'calls'; readonly calls: readonly { readonly id: string; readonly tool: string; readonly arguments: JsonObject }[] }
    | { readonly is: 'decides'; readonly verdict: Verdict; readonly output?: Json; readonly reason?: string }
}

const WORDS: ReadonlySet<string> = new Set([
  'gives',
  'fails',
  'calls',
  'decides',
  'takes',
  'cost',
  'tokens',
  'by',
  'leftOut',
  'confidence',
  'message',
  'times',
  'output',
  'after',
  'reason',
])
const VERDICTS: readonly string[] = ['approve', 'edit', 'reject', 'respond']

/** Whether a value is a script rather than an output. A1. */
export const isScript = (value: Json | Script): value is JsonObject => {
  if (!isJsonObject(value)) return false
  const keys = Object.keys(value)
  return ['gives', 'fails', 'calls', 'decides'].some((word) => keys.includes(word)) || value['takes'] === 'never'
    ? keys.every((key) => WORDS.has(key))
    : false
}

/** A script as an act, or what is wrong with it. */
export const actOf = (script: Json): Act | { readonly wrong: string } => {
  if (!isScript(script)) return plain({ is: 'gives', output: script })
  const aside = asideOf(script)
  if ('wrong' in aside) return aside
  const { fails, gives, calls, decides, message, confidence } = script
  if (decides !== undefined) return decisionOf(script, aside)
  if (calls !== undefined) return callsOf(calls, aside)
  if (fails !== undefined) {
    if (!isFaultCode(fails))
      return {
        wrong: `${JSON.stringify(fails)} is no fault code${typeof fails === 'string' ? didYouMean(fails, Object.keys(FAULTS)) : ''}`,
      }
    return { ...aside, does: { is: 'fails', code: fails, ...(typeof message === 'string' ? { message } : {}) } }
  }
  return { ...aside, does: { is: 'gives', output: gives ?? null, ...(typeof confidence === 'number' ? { confidence } : {}) } }
}

const TIMES_MAX = 10_000

/** A script that fails several times, one by one, with what it gives afterwards. */
export const eachOf = (script: Json): readonly Json[] => {
  if (!isScript(script)) return [script]
  const { times, fails, gives, ...rest } = script
  if (fails === undefined || typeof times !== 'number') return [script]
  const failures = Array.from({ length: Math.min(TIMES_MAX, Math.max(0, Math.floor(times))) }, (): Json => ({ ...rest, fails }))
  return gives === undefined ? failures : [...failures, { ...rest, gives }]
}

const plain = (does: Act['does']): Act => ({ takesMs: 0, costMicroUsd: 0, does })

const asideOf = (script: JsonObject): Omit<Act, 'does'> | { readonly wrong: string } => {
  const { takes, after, cost, leftOut = [] } = script
  const time = takes ?? after ?? 0
  const takesMs = time === 'never' ? Infinity : isText(time) ? millisecondsOf(time) : undefined
  if (takesMs === undefined) return { wrong: `${JSON.stringify(time)} is no time; write 500ms, 5s, 120m, 2h or 3d` }
  const amount = cost ?? 0
  const costMicroUsd = isText(amount) ? microUsdOf(amount) : undefined
  if (costMicroUsd === undefined) return { wrong: `${JSON.stringify(amount)} is no amount; write 0.05 USD` }
  const parts = partsOf(leftOut)
  if (parts === undefined) return { wrong: 'leftOut is a list of { part: docs, tokens: 120, how: end }' }
  return {
    takesMs,
    costMicroUsd,
    ...(parts.length === 0 ? {} : { leftOut: parts }),
    ...toldOf(script),
  }
}

/** What the meter of the answer says besides. */
const toldOf = ({ tokens, by }: JsonObject): Pick<Act, 'tokens' | 'by'> => ({
  ...(typeof tokens === 'number' ? { tokens } : {}),
  ...(typeof by === 'string' ? { by } : {}),
})

const partsOf = (leftOut: Json): Act['leftOut'] => {
  const parts = (Array.isArray(leftOut) ? leftOut : [null]).map((part: Json) => {
    if (!isJsonObject(part) || typeof part['part'] !== 'string') return undefined
    const { part: name, tokens = 1, how = 'end' } = part
    return typeof tokens === 'number' && typeof how === 'string' ? { part: name, tokens, how } : undefined
  })
  const known = parts.filter((part) => part !== undefined)
  return known.length === parts.length ? known : undefined
}
const isText = (value: Json): value is string | number => typeof value === 'string' || typeof value === 'number'

const decisionOf = ({ decides, output, reason }: JsonObject, aside: Omit<Act, 'does'>): Act | { readonly wrong: string } => {
  const verdict = VERDICTS.find((word): word is Verdict => word === decides)
  if (verdict === undefined) return { wrong: `${JSON.stringify(decides)} is no decision; write ${VERDICTS.join(', ')}` }
  const said = { ...(output === undefined ? {} : { output }), ...(typeof reason === 'string' ? { reason } : {}) }
  return { ...aside, does: { is: 'decides', verdict, ...said } }
}

const callsOf = (calls: Json, aside: Omit<Act, 'does'>): Act | { readonly wrong: string } => {
  const list = (Array.isArray(calls) ? calls : [calls]).map((call: Json, index) => {
    if (!isJsonObject(call) || typeof call['tool'] !== 'string') return undefined
    const { tool, id, arguments: given = {} } = call
    return isJsonObject(given) ? { id: typeof id === 'string' ? id : `call-${index}`, tool, arguments: given } : undefined
  })
  const known = list.filter((call) => call !== undefined)
  if (known.length < list.length) return { wrong: 'a call is { tool: NAME, arguments: {…} }' }
  return { ...aside, does: { is: 'calls', calls: known } }
}
