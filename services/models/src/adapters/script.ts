// A script: answers of a model that are written down beforehand, and when each is given.
//   Y1. The first answer whose `when` holds is given; an answer without `when` always fits. Nothing is remembered between questions.
//   Y2. Patterns run on RE2, as everywhere.
import { FAULTS, Fault, isFaultCode, type FaultCode } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json } from '@baton/contracts/json'
import { RE2JS } from 're2js'
import { z } from 'zod'
import type { Question } from '../model.ts'

const ANSWERS_MAX = 10_000
const DELAY_MAX_MS = 600_000
const JsonValue = z.json()
const Count = z.number().int().positive()

const isOfModel = (code: unknown): code is FaultCode => isFaultCode(code) && /^(model|output)\./.test(code)
const CODES = Object.keys(FAULTS).filter(isOfModel).join(', ')

const Pattern = z
  .string()
  .min(1)
  .transform((text, context) => {
    try {
      return RE2JS.compile(text) // Y2
    } catch {
      context.addIssue({ code: 'custom', message: 'is no RE2 pattern' })
      return z.NEVER
    }
  })

/** All that is there has to hold. */
const When = z.strictObject({
  /** Name of the model in the catalogue: several may follow one script. */
  model: z.string().optional(),
  /** Id of the step in the plan. */
  step: z.string().optional(),
  agent: z.string().optional(),
  /** Whether the agent is asked for a turn or checks its own answer. */
  use: z.enum(['turn', 'check']).optional(),
  turn: z.union([Count, z.strictObject({ from: Count, to: Count.optional() })]).optional(),
  /** Try of the dispatch, from 1. */
  try: Count.optional(),
  /** Whether it is asked again, told what was wrong with its last answer. */
  again: z.boolean().optional(),
  /** Text of the last message, in any case. */
  contains: z.string().min(1).optional(),
  /** RE2 pattern on the last message. */
  matches: Pattern.optional(),
  /** Fields of the input, as deep as they are given here. */
  input: JsonValue.optional(),
  /** A tool that is offered. */
  offered: z.string().optional(),
})
type When = z.infer<typeof When>

const Call = z.strictObject({
  id: z.string().min(1).optional(),
  tool: z.string().min(1),
  /** Text is sent as it is, right or wrong. */
  arguments: z.union([z.record(z.string(), JsonValue), z.string()]).default({}),
})

const KINDS = ['answer', 'text', 'calls', 'fault'] as const

const ScriptedAnswer = z
  .strictObject({
    when: When.default({}),
    /** A value that is JSON already. */
    answer: JsonValue.optional(),
    /** Text as a model writes it: read, mended and checked as that of any other. Beside `calls`: what is said with them. */
    text: z.string().optional(),
    calls: z.array(Call).min(1).max(100).optional(),
    fault: z
      .strictObject({
        code: z.custom<FaultCode>(isOfModel, `must be one of ${CODES}`),
        message: z.string().max(300).default('as the script says'),
        retryAfterMs: z.number().int().nonnegative().optional(),
      })
      .optional(),
    delayMs: z.number().int().min(0).max(DELAY_MAX_MS).default(0),
    /** Tokens in and out; absent: a quarter of the characters. */
    tokens: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]).optional(),
  })
  .refine(
    (it) => KINDS.filter((kind) => it[kind] !== undefined && !(kind === 'text' && it.calls !== undefined)).length === 1,
    'needs one of answer, text, calls or fault (text may stand beside calls)',
  )
export type ScriptedAnswer = z.infer<typeof ScriptedAnswer>

export const Script = z.strictObject({ answers: z.array(ScriptedAnswer).min(1).max(ANSWERS_MAX) })
export type Script = z.infer<typeof Script>

/** The text of the last message of a question. */
export const lastOf = ({ prompt, conversation = [] }: Question): string => conversation.at(-1)?.text ?? prompt

const covers = (wanted: Json, value: Json | undefined): boolean => {
  if (!isJsonObject(wanted)) return value !== undefined && canonicalJson(wanted) === canonicalJson(value)
  return isJsonObject(value) && Object.entries(wanted).every(([key, field]) => covers(field, value[key]))
}

const inTurns = (wanted: When['turn'], turn: number | undefined): boolean => {
  if (wanted === undefined) return true
  if (turn === undefined) return false
  return typeof wanted === 'number' ? turn === wanted : turn >= wanted.from && turn <= (wanted.to ?? turn)
}

const same = <T>(wanted: T | undefined, is: T | undefined): boolean => wanted === undefined || wanted === is

const inText = ({ contains, matches }: When, text: string): boolean =>
  (contains === undefined || text.toLowerCase().includes(contains.toLowerCase())) && (matches === undefined || matches.matcher(text).find())

/** Conditions that are met by the same value. */
const PLAIN = ['step', 'agent', 'use', 'try'] as const

const fits = (when: When, model: string, question: Question): boolean => {
  const { occasion, feedback, input, tools = [] } = question
  const { offered } = when
  return (
    same(when.model, model) &&
    PLAIN.every((key) => same<string | number>(when[key], occasion?.[key])) &&
    same(when.again, feedback !== undefined) &&
    inTurns(when.turn, occasion?.turn) &&
    (when.input === undefined || covers(when.input, input)) &&
    (offered === undefined || tools.some(({ name }) => name === offered)) &&
    inText(when, lastOf(question))
  )
}

/** What the script says to a question (Y1). Throws `model.refused` where it says nothing. */
export const findAnswer = ({ answers }: Script, model: string, question: Question): ScriptedAnswer => {
  const found = answers.find(({ when }) => fits(when, model, question))
  if (found !== undefined) return found
  const { step = '', agent, turn } = question.occasion ?? {}
  const asked = [step, agent, turn === undefined ? undefined : `turn ${turn}`].filter((part) => part !== undefined).join(', ')
  throw new Fault('model.refused', `The script of ${model} has no answer for ${asked}.`, { model, reason: 'not_scripted' })
}
