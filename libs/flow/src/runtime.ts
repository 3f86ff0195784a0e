// What a run in one process needs of a flow, and nothing beside: loading it is part of the first call.
export { compileData, type FlowData } from './builder/data.ts'
export { loadProgram } from './load.ts'
export { resolveParams } from './params.ts'
export { renderPrompt } from './prompt.ts'
