export type * from './database.ts'
export type * from './ports.ts'
