// Expressions and values of a flow file as the builder writes them, and the names they use.
import { isJsonObject, type Json } from '@baton/contracts/json'
import { callText, listText, objectText, stringText, type Text } from './source-text.ts'

/** Names that a variable cannot have: words of JavaScript. */
const WORDS = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static super switch ' +
    'this throw true try typeof undefined var void while with yield b'
  ).split(' '),
)
/** What the builder's functions are called: a step of such a name gets another variable. */
const FUNCTIONS = new Set(
  (
    'agent and at block cel check choose contains emit endsWith eq every filter flow forEach goTo gt gte has human ifElse includes ' +
    'isNull isPresent loop lt lte mapped matches model ne not or orElse parallel raw retrieve schema set size some startsWith subflow ' +
    'switchOn switchWhen task team thenGo tool vote wait waitFor whenPresent'
  ).split(' '),
)

export type Names = {
  /** A function of the builder, to be imported. */
  readonly use: (name: string) => string
  readonly used: () => readonly string[]
  /** The variable for a name of the flow. */
  readonly local: (name: string) => string
  /** Notes that the text being written uses a name of the flow. */
  readonly refer: (name: string) => string
  /** A text and all names it uses. */
  readonly within: (body: () => Text) => { readonly text: Text; readonly free: readonly string[] }
  /** A text and those of some names that it uses; the others are used by the text around. */
  readonly binding: (bound: readonly string[], body: () => Text) => { readonly text: Text; readonly used: readonly string[] }
}

export const createNames = (): Names => {
  const imported = new Set<string>()
  let current = new Set<string>()
  const local = (name: string): string => (WORDS.has(name) || FUNCTIONS.has(name) ? `${name}_` : name)
  const collect = (body: () => Text): { readonly text: Text; readonly inside: ReadonlySet<string> } => {
    const around = current
    current = new Set()
    const text = body()
    const inside = current
    current = around
    return { text, inside }
  }
  return {
    use: (name) => {
      imported.add(name)
      return name
    },
    used: () => [...imported].sort(),
    local,
    refer: (name) => {
      current.add(name)
      return local(name)
    },
    within: (body) => {
      const { text, inside } = collect(body)
      return { text, free: [...inside] }
    },
    binding: (bound, body) => {
      const { text, inside } = collect(body)
      for (const name of inside) if (!bound.includes(name)) current.add(name)
      return { text, used: [...inside].filter((name) => bound.includes(name)) }
    },
  }
}

const PATH = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/
const LITERAL = /^(?:"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false)$/
const NOT_NAMES = new Set(['true', 'false', 'null'])
const isPath = (text: string): boolean => PATH.test(text) && !NOT_NAMES.has(text)

const pathText = (path: string, names: Names): string => {
  const [root = '', ...keys] = path.split('.')
  return [names.refer(root), ...keys].join('.')
}

const HELPERS: Readonly<Record<string, string>> = { '==': 'eq', '!=': 'ne', '>=': 'gte', '<=': 'lte', '>': 'gt', '<': 'lt' }
const NULL_TESTS: Readonly<Record<string, string>> = { '==': 'isNull', '!=': 'isPresent' }
/** A comparison as the builder's helper writes it, where that gives back the very text. */
const comparisonText = (cel: string, names: Names): Text | undefined => {
  const [left = '', operator = '', right = ''] = /^(\S+) (==|!=|>=|<=|>|<) (\S+|"[^"\\]*")$/.exec(cel)?.slice(1) ?? []
  const helper = right === 'null' ? NULL_TESTS[operator] : HELPERS[operator]
  const other = right === 'null' ? [] : operandText(right, names)
  return helper === undefined || other === undefined || !isPath(left)
    ? undefined
    : callText(names.use(helper), [pathText(left, names), ...other])
}
const operandText = (text: string, names: Names): readonly Text[] | undefined => {
  if (isPath(text)) return [pathText(text, names)]
  const isLiteral = LITERAL.test(text) && JSON.stringify(JSON.parse(text)) === text
  return isLiteral ? [literalText(JSON.parse(text) as Json)] : undefined // a literal is JSON
}

const celText = (cel: string, names: Names, type: string): Text => callText(`${names.use('cel')}${type}`, [stringText(cel)])

/** An expression: a reference where it is a path, else CEL as it is. */
export const expressionText = (cel: string, names: Names): Text => {
  const text = cel.trim()
  return isPath(text) ? pathText(text, names) : (comparisonText(text, names) ?? celText(text, names, ''))
}

/** A condition. A leading "=" means nothing. */
export const conditionText = (condition: Json, names: Names): Text => {
  const text = (typeof condition === 'string' ? condition : JSON.stringify(condition)).replace(/^=/, '').trim()
  return isPath(text) ? pathText(text, names) : (comparisonText(text, names) ?? celText(text, names, '<boolean>'))
}

/** A value with expressions in it. */
export const valueText = (value: Json, names: Names): Text => {
  if (typeof value === 'string') return value.startsWith('=') ? expressionText(value.slice(1), names) : stringText(value)
  if (Array.isArray(value)) return listText(value.map((item) => valueText(item, names)))
  if (!isJsonObject(value)) return JSON.stringify(value)
  return objectText(Object.entries(value).map(([key, item]) => [key, valueText(item, names)] as const))
}

/** A value without expressions. */
export const literalText = (value: Json): Text => {
  if (typeof value === 'string') return stringText(value)
  if (Array.isArray(value)) return listText(value.map(literalText))
  if (!isJsonObject(value)) return JSON.stringify(value)
  return objectText(Object.entries(value).map(([key, item]) => [key, literalText(item)] as const))
}
