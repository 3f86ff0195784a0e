import type { Json, JsonObject } from '@baton/contracts/json'
import { compileFlow, type CompileResult } from '../compile.ts'
import type { FlowDefaults } from '../read/context.ts'

/** A flow as data: what a flow file holds, with the same words. */
export type FlowData = JsonObject

/** The smallest flow: prompts in their order, each seeing the input and the outputs of those before it. */
export const chain = (prompts: { readonly [step: string]: string }): FlowData => ({
  steps: Object.entries(prompts).map(([name, prompt]): Json => ({ [name]: prompt })),
})

/** Compiles a flow made in a program. Places in diagnostics are those of its JSON text. */
export const compileData = (
  flow: FlowData,
  options: { readonly files?: ReadonlyMap<string, string>; readonly defaults?: FlowDefaults } = {},
): CompileResult => {
  const entry = 'flow.json'
  const files = new Map([...(options.files ?? []), [entry, JSON.stringify(flow, null, 2)]])
  return compileFlow({ files, entry, defaults: options.defaults ?? {} })
}
