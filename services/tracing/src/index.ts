export { start } from './start.ts'
export { migrations } from './storage/migrations.ts'
