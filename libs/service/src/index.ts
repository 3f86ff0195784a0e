export type * from './platform.ts'
export type * from './worker.ts'
