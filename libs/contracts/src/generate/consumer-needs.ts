// What other teams lean on, as they wrote it down, against the contracts as they are.
//   N1. A field that somebody reads is there, in the schema and in the example, with the type that they expect.
//   N2. A message that somebody writes is understood.
import { z } from 'zod'
import { Fault } from '../fault.ts'
import { encodeEvent } from '../envelope.ts'
import { EXAMPLES } from '../examples.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { checkMessage, contractOfType, type ContractName } from '../registry.ts'
import { messageSchema } from './message-schemas.ts'

const Needs = z.strictObject({
  consumer: z.string().min(1),
  about: z.string(),
  reads: z
    .array(
      z.strictObject({
        message: z.string(),
        headers: z.array(z.string()).default([]),
        fields: z.record(z.string(), z.enum(['string', 'number', 'integer', 'boolean', 'object', 'array', 'any'])),
      }),
    )
    .default([]),
  writes: z.array(z.strictObject({ message: z.string(), example: z.json() })).default([]),
})
type Read = z.infer<typeof Needs>['reads'][number]

/** Everything that this consumer needs and is not given, in words; empty when all is well. Throws when the file is not one. */
export const unmetNeeds = (file: unknown): readonly string[] => {
  const { consumer, reads, writes } = Needs.parse(file)
  return [...reads.flatMap(unmetRead), ...writes.flatMap(unmetWrite)].map((problem) => `${consumer}: ${problem}`)
}

const unmetRead = (read: Read): readonly string[] => {
  const name = contractOfType(read.message)
  if (name === undefined) return [`${read.message} does not exist any more`]
  const schema = messageSchema(name, 'draft-2020-12')
  const fields = Object.entries(read.fields).flatMap(([path, type]) => unmetField(path, type, schema))
  const written = headersOf(name)
  const headers = read.headers.filter((header) => !written.has(header)).map((header) => `has no header ${header}`)
  return [...fields, ...headers].map((problem) => `${read.message}: ${problem}`) // N1
}

const unmetField = (path: string, type: Read['fields'][string], schema: JsonObject): readonly string[] => {
  const found = path.split('.').reduce<JsonObject | undefined>((at, key) => fieldOf(at, key), schema)
  if (found === undefined) return [`${path} is gone`]
  const typed = found['type']
  if (type === 'any' || typed === undefined || typed === type || (type === 'number' && typed === 'integer')) return []
  return [`${path} is ${JSON.stringify(typed)}, not ${type}`]
}

const fieldOf = (schema: JsonObject | undefined, key: string): JsonObject | undefined => {
  const fields: Json | undefined = schema?.['properties']
  const found = isJsonObject(fields) ? fields[key] : undefined
  return isJsonObject(found) ? found : undefined
}

const headersOf = (name: ContractName): ReadonlySet<string> => {
  const around = { id: 'e', source: '/baton', subject: 'run', tenant: 'default', correlationId: 'request', traceparent: '00' }
  // The example of a name is the data of that contract.
  const event = { ...around, name, data: EXAMPLES[name] } as Parameters<typeof encodeEvent>[0]
  return new Set(Object.keys(encodeEvent(event).headers))
}

const unmetWrite = ({ message, example }: { message: string; example: Json }): readonly string[] => {
  const name = contractOfType(message)
  if (name === undefined) return [`${message} does not exist any more`]
  try {
    checkMessage(name, example) // N2
    return []
  } catch (error) {
    return [`${message}: what it writes is refused: ${error instanceof Fault ? error.message : String(error)}`]
  }
}
