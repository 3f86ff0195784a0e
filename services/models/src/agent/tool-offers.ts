// What a model is told of the tools that it may call.
//   O1. Schemas are those of the tools service, asked for at most every `TTL_MS`; where it does not answer, a tool is offered by its name
//       alone: the tool checks its arguments in any case.
//   O2. A hand-over is a tool that nobody runs: the engine reads its task.
//   O3. The arguments of a tool whose effect cannot be taken back, or is not known, are never mended.
import { z } from 'zod'
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { ServiceCall } from '@baton/service'
import type { ToolOffer } from '../model.ts'

/** Tools offered in one turn. */
export const TOOLS_MAX = 128
const TTL_MS = 30_000
const TTL_FAILED_MS = 5_000
const TIMEOUT_MS = 2_000
const HANDOFF = 'handoff/'
const ANYTHING: JsonObject = { type: 'object' }
const TASK: JsonObject = {
  type: 'object',
  properties: { task: { type: 'string', description: 'what it has to do, with everything it needs to know' } },
  required: ['task'],
  additionalProperties: false,
}

const Effect = z.enum(['read', 'write', 'irreversible'])
const Listed = z.object({
  items: z.array(z.object({ name: z.string(), about: z.string().optional(), input: z.unknown(), effect: Effect.optional() })),
})
type Known = ReadonlyMap<string, Omit<ToolOffer, 'name'>>

/** Providers take only an object at the top. */
const inputSchema = (schema: unknown): JsonObject => {
  if (!isJsonObject(schema) || schema['type'] !== 'object') return ANYTHING
  const { $schema: _dialect, ...rest } = schema
  return rest
}

const read = (body: string): Known => {
  const { items } = Listed.parse(JSON.parse(body))
  return new Map(
    items.map(({ name, about = '', input, effect }) => [
      name,
      { schema: inputSchema(input as Json), ...(about === '' ? {} : { about }), ...(effect === undefined ? {} : { effect }) }, // parsed from JSON
    ]),
  )
}

const ask = async (call: ServiceCall): Promise<Known> => {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Fault('bus.unavailable', 'The tools service does not answer.')), TIMEOUT_MS).unref()
  })
  const { status, body } = await Promise.race([call({ service: 'tools', method: 'GET', path: '/v1/tools' }), late])
  if (status !== 200) throw new Fault('bus.unavailable', `The tools service answered with status ${status}.`, { status })
  return read(body)
}

/** Names of the tools that are called with exactly what the model wrote, or not at all (O3). */
export const exactOf = (offers: readonly ToolOffer[]): readonly string[] =>
  offers.filter(({ effect }) => effect !== 'read' && effect !== 'write').map(({ name }) => name)

export type ToolOffers = (names: readonly string[]) => Promise<readonly ToolOffer[]>

/** Offers tools by name. Throws `flow.invalid` for more than `TOOLS_MAX`. */
export const createToolOffers = (call: ServiceCall, nowMs: () => number): ToolOffers => {
  let known: Promise<Known> | undefined
  let until = 0
  const lookUp = (): Promise<Known> => {
    if (known !== undefined && nowMs() < until) return known
    until = nowMs() + TTL_MS
    known = ask(call).catch(() => {
      until = nowMs() + TTL_FAILED_MS
      return new Map() // O1
    })
    return known
  }
  return async (names) => {
    if (names.length > TOOLS_MAX) throw new Fault('flow.invalid', `More than ${TOOLS_MAX} tools are offered.`, { tools: names.length })
    const tools = names.some((name) => !name.startsWith(HANDOFF)) ? await lookUp() : new Map<string, Omit<ToolOffer, 'name'>>()
    return names.map((name) =>
      name.startsWith(HANDOFF)
        ? { name, about: `Hands the task over to ${name.slice(HANDOFF.length)}, who answers in your place.`, schema: TASK, effect: 'read' } // O2
        : { name, ...(tools.get(name) ?? { schema: ANYTHING }) },
    )
  }
}
