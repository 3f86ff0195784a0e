import type { Json, JsonObject } from '@baton/contracts/json'
import { compileText, type CompileResult } from '../compile-text.ts'
import type { FlowDefaults } from '../read/context.ts'
import { dataText, parseDataText } from '../source/data-syntax.ts'
import type { Parse } from '../source/syntax.ts'

/** A flow as data: what a flow file holds, with the same words. */
export type FlowData = JsonObject

/** The smallest flow: prompts in their order, each seeing the input and the outputs of those before it. */
export const chain = (prompts: { readonly [step: string]: string }): FlowData => ({
  steps: Object.entries(prompts).map(([name, prompt]): Json => ({ [name]: prompt })),
})

/** Compiles a flow made in a program. Places in diagnostics are those of its JSON text. */
export type CompileData = (
  flow: FlowData,
  options?: { readonly files?: ReadonlyMap<string, string>; readonly defaults?: FlowDefaults },
) => CompileResult

/** A compiler of flows made in a program; `parse` reads the files that they name. */
export const createCompileData =
  (parse: Parse): CompileData =>
  (flow, { files = new Map<string, string>(), defaults = {} } = {}) => {
    const entry = 'flow.json'
    return compileText({ files: new Map([...files, [entry, dataText(flow)]]), entry, defaults }, { entry: parseDataText, files: parse })
  }
