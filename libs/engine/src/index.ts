export type * from './decision.ts'
export type * from './state.ts'
