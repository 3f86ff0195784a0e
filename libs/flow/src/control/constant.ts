import type { ExprTree } from '../tree.ts'

/** The value of a condition that reads nothing and so is always the same; undefined where it has to be asked. */
export const constantOf = (condition: ExprTree | undefined): boolean | undefined => {
  const word = condition?.cel.replace(/[()\s]/g, '')
  if (word === 'true' || word === '!false') return true
  return word === 'false' || word === '!true' ? false : undefined
}
