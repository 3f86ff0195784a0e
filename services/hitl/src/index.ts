export { start } from './start.ts'
export { migrations } from './migrations.ts'
