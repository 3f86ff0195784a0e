export { playTestFile, updatedText, type PlayedCase, type PlayedFile } from './play.ts'
export { readTestFile, type TestCase, type TestFile } from './read.ts'
export { flowTestSchemaFile } from './schema.ts'
export type { Mistake } from './mistake.ts'
