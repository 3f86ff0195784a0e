// Answers that a real model once gave, found again by the question: for tests, demonstrations and reviews of routes.
//   E1. The same question gets the same answer, word by word; a question that was not recorded is `model.refused`, never another's answer.
//   E2. Tokens, cost and confidence are those of the recording; latency is not replayed here (the rig of libs/testing does that).
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { Fault } from '@baton/contracts/fault'
import { canonicalJson, type Json } from '@baton/contracts/json'
import { createHash } from 'node:crypto'
import type { Tokens } from '@baton/policy/routing'
import { z } from 'zod'
import type { Answer, Model, Question, Said } from '../model.ts'

/** What makes two questions the same: everything that a model would see of them. */
export type RecordedQuestion = {
  readonly prompt: string
  readonly system?: string | undefined
  readonly conversation?: readonly Said[] | undefined
  readonly tools?: readonly string[] | undefined
}

/** The name of a question in a file of recordings. */
export const questionHash = ({ prompt, system, conversation, tools }: RecordedQuestion): string => {
  const asked = { prompt, ...(system === undefined ? {} : { system }), said: conversation ?? [], tools: tools ?? [] }
  return createHash('sha256')
    .update(canonicalJson(asked as unknown as Json)) // Data, all of it.
    .digest('hex')
    .slice(0, 32)
}

const Call = z.looseObject({ id: z.string().optional(), tool: z.string(), arguments: z.string() })
const Recording = z
  .looseObject({
    hash: z.string().length(32).optional(),
    question: z.union([z.string(), z.looseObject({ prompt: z.string(), system: z.string().optional() })]).optional(),
    text: z.string().optional(),
    answer: z.json().optional(),
    calls: z.array(Call).optional(),
    confidence: z.number().optional(),
    inputTokens: z.number().int().nonnegative().optional(),
    outputTokens: z.number().int().nonnegative().optional(),
    costMicroUsd: z.number().int().nonnegative().optional(),
  })
  .refine(({ hash, question }) => hash !== undefined || question !== undefined, 'needs question or hash')
  .refine(({ text, answer }) => text !== undefined || answer !== undefined, 'needs text or answer')
type Recording = z.infer<typeof Recording>

const hashOf = ({ hash, question }: Recording): string =>
  hash ?? questionHash(typeof question === 'string' ? { prompt: question } : { prompt: question?.prompt ?? '', system: question?.system })

const read = async (file: string): Promise<ReadonlyMap<string, Recording>> => {
  const bytes = createReadStream(file)
  const lines = createInterface({ input: file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes })
  const found = new Map<string, Recording>()
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line.trim() === '') continue
    const parsed = Recording.safeParse(JSON.parse(line))
    if (!parsed.success)
      throw new Fault('config.invalid', `The recordings have a mistake in line ${number}: ${z.prettifyError(parsed.error)}`, {
        line: number,
      })
    found.set(hashOf(parsed.data), parsed.data)
  }
  return found
}

const answerOf = ({ text, answer, calls, confidence, ...used }: Recording, cost: (tokens: Tokens) => number): Answer => {
  const { inputTokens = 0, outputTokens = 0 } = used
  const usage = { inputTokens, outputTokens, costMicroUsd: used.costMicroUsd ?? cost({ input: inputTokens, output: outputTokens }) } // E2
  return {
    ...(answer === undefined ? { text: text ?? '' } : { value: answer as Json }), // z.json() is JSON.
    usage,
    ...(calls === undefined ? {} : { calls: calls.map(({ id, ...call }) => ({ ...call, ...(id === undefined ? {} : { id }) })) }),
    ...(confidence === undefined ? {} : { confidence }),
  }
}

/** A model that answers from recordings. */
export const recordedModel = (name: string, { file, cost }: { file: string; cost: (tokens: Tokens) => number }): Model => {
  let loading: Promise<ReadonlyMap<string, Recording>> | undefined
  return {
    name,
    provider: 'recorded',
    local: false,
    invoke: async (question: Question) => {
      loading ??= read(file)
      const hash = questionHash({ ...question, tools: question.tools?.map((tool) => tool.name) })
      const found = (await loading).get(hash)
      if (found === undefined) throw new Fault('model.refused', `${name} has no recording of this question.`, { model: name, hash }) // E1
      return answerOf(found, cost)
    },
  }
}
