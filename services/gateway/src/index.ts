export { start } from './gateway.ts'
export { publishFlow, publishFlows, type Published } from './flows/flow-publisher.ts'
export { flowFolders, readFlowFolder, type FlowFiles } from './flows/flow-files.adapter.ts'
export { openApiDocument } from './api/openapi.ts'
