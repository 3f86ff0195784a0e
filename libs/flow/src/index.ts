export type * from './plan.ts'
export type * from './program.ts'
