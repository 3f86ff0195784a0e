// What a run in one process needs of a flow, and nothing beside: loading it is part of the first call. The parser of YAML is none of it.
export { createCompileData, type FlowData } from './builder/data.ts'
export { loadProgram } from './load.ts'
export { resolveParams } from './params.ts'
export { renderShown, wholeParts } from './shown-parts.ts'
export type { Parse } from './source/syntax.ts'
