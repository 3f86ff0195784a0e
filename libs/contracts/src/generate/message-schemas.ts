import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
import { CONTRACTS, contractNames, wireSchema, wireType, type ContractName } from '../registry.ts'

/** JSON Schema of one message. `draft-7` is what AsyncAPI reads, `draft-2020-12` what is published. */
export const messageSchema = (name: ContractName, target: 'draft-2020-12' | 'draft-7'): JsonObject => {
  const contract = CONTRACTS[name]
  // A custom type is one that JSON Schema cannot say more about: any JSON value.
  const schema: unknown = z.toJSONSchema(contract.schema, { target, io: 'input', unrepresentable: 'any' })
  if (!isJsonObject(schema)) throw new Error(`${name} has no schema`)
  const { $schema, ...rest } = schema
  const head = target === 'draft-7' ? {} : { $schema: $schema ?? '', $id: wireSchema(name) }
  return { ...head, title: wireType(name), description: contract.about, ...rest }
}

/** The published schema of every message: file name to text. */
export const messageSchemaFiles = (): ReadonlyMap<string, string> =>
  new Map(
    contractNames().map((name) => [`schemas/${wireType(name)}.json`, `${JSON.stringify(messageSchema(name, 'draft-2020-12'), null, 2)}\n`]),
  )
