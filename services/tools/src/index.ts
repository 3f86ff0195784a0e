export { start } from './start.ts'
export { migrations } from './migrations/migrations.ts'
export { defineTool, type Tool, type ToolContext, type ToolDefinition } from './tool.ts'
