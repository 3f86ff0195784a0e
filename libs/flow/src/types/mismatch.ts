// Whether a value of one type may stand where another is wanted. Only what is sure is said.
import { describeType, isKnown, scalarOf, wordsOf, type Type } from './type.ts'

/** Why it may not; undefined when it may. */
export const mismatch = (given: Type, wanted: Type, path = ''): string | undefined => {
  if (!isKnown(given) || !isKnown(wanted)) return undefined
  if (given.kind === 'null') return nullMismatch(wanted, path)
  if (given.kind === 'enum' && wanted.kind === 'enum') return enumMismatch(given.values, wanted, path)
  if (isObjectLike(given) && isObjectLike(wanted)) return objectMismatch(given, wanted, path)
  if (given.kind === 'list' && wanted.kind === 'list') return listMismatch(given, wanted, path)
  return isSameScalar(given, wanted) ? undefined : `${nameOf(path)} is ${describeType(given)} and must be ${describeType(wanted)}`
}

type ListType = Extract<Type, { kind: 'list' }>
const listMismatch = (given: ListType, wanted: ListType, path: string): string | undefined =>
  given.max === 0 ? undefined : mismatch(given.of, wanted.of, `${path}[]`)

const isSameScalar = (a: Type, b: Type): boolean => scalarOf(a) !== undefined && scalarOf(a) === scalarOf(b)
const nameOf = (path: string): string => (path === '' ? 'it' : path)
const isObjectLike = ({ kind }: Type): boolean => kind === 'object' || kind === 'map'

const nullMismatch = (wanted: Type, path: string): string | undefined =>
  wanted.nullable === undefined && wanted.absent === undefined && wanted.kind !== 'null'
    ? `${nameOf(path)} is null and must be ${describeType(wanted)}`
    : undefined

type EnumType = Extract<Type, { kind: 'enum' }>

const enumMismatch = (values: EnumType['values'], wanted: EnumType, path: string): string | undefined => {
  const outside = values.find((value) => !wanted.values.includes(value))
  return outside === undefined ? undefined : `${nameOf(path)} may be ${wordsOf([outside])} and must be ${describeType(wanted)}`
}

const objectMismatch = (given: Type, wanted: Type, path: string): string | undefined => {
  if (given.kind !== 'object' || wanted.kind !== 'object') return undefined
  for (const [name, type] of wanted.fields) {
    const at = path === '' ? name : `${path}.${name}`
    const field = given.fields.get(name)
    const missing = field === undefined && !given.open && type.absent === undefined
    const problem = field === undefined ? (missing ? `${at} is missing` : undefined) : mismatch(field, type, at)
    if (problem !== undefined) return problem
  }
  return undefined
}
