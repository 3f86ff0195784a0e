export { start } from './routing.ts'
