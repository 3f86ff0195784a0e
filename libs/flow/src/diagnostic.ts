// What is wrong with a flow, and where.
//   D1. Every diagnostic points into a file of the input: line and column exist in its text, both counted from 1.
//   D2. Diagnostics come in the order of file, line and column, each once, so that output can be compared.
import type { Span } from './source/source.ts'

/** Kinds of mistakes. The part before the dot says what was being read. */
export type DiagnosticCode =
  | 'yaml.syntax'
  | 'yaml.trap'
  | 'file.missing'
  | 'flow.unknown_key'
  | 'flow.missing_key'
  | 'flow.wrong_type'
  | 'flow.too_large'
  | 'name.invalid'
  | 'name.duplicate'
  | 'name.reserved'
  | 'literal.duration'
  | 'literal.money'
  | 'literal.range'
  | 'reference.unknown'
  | 'reference.later'
  | 'prompt.unknown'
  | 'prompt.malformed'
  | 'prompt.slot_unknown'
  | 'schema.unknown'
  | 'schema.invalid'
  | 'expression.syntax'
  | 'expression.invalid'
  | 'switch.incomplete'
  | 'gate.incomplete'
  | 'rule.unreachable'
  | 'jump.unknown'
  | 'jump.backward'
  | 'limit.exceeded'
  | 'type.mismatch'
  | 'type.nullable'
  | 'type.enum_value'
  | 'type.unknown_field'
  | 'expression.cost'
  | 'tool.unknown'
  | 'tool.elsewhere'
  | 'route.unknown'
  | 'agent.unknown'
  | 'buffer.unknown'
  | 'flow.unknown'
  | 'flow.cycle'
  | 'step.unreachable'
  | 'join.impossible'
  | 'cap.missing'
  | 'time.exceeds_flow'
  | 'time.chain_exceeds_flow'
  | 'cost.exceeds_flow'
  | 'effect.unapproved'
  | 'cache.never_used'
  | 'gate.no_confidence'
  | 'schema.incompatible'
  | 'secret.found'
  | 'trigger.invalid'
  | 'file.encoding'

/** Warnings say what may go wrong; the flow compiles all the same. */
const WARNINGS: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>(['tool.elsewhere', 'time.chain_exceeds_flow', 'cost.exceeds_flow'])

type Severity = 'error' | 'warning'

/** One mistake. `fix` is text to write instead, or a sentence that says what to do. */
export type Diagnostic = {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: DiagnosticCode
  readonly severity: Severity
  readonly message: string
  readonly fix?: string
}

/** Collects diagnostics while passes go on, so that one check shows all mistakes at once. */
export type Report = {
  add(at: Span, code: DiagnosticCode, message: string, fix?: string): void
  /** Whether there is an error; warnings do not count. */
  readonly failed: boolean
  list(): readonly Diagnostic[]
}

export const createReport = (): Report => {
  const found = new Map<string, Diagnostic>()
  return {
    add(at, code, message, fix) {
      const { line, column } = at.source.position(at.start)
      const severity: Severity = WARNINGS.has(code) ? 'warning' : 'error'
      const diagnostic = { file: at.source.file, line, column, code, severity, message, ...(fix === undefined ? {} : { fix }) }
      found.set(`${diagnostic.file}:${line}:${column}:${code}:${message}`, diagnostic)
    },
    get failed() {
      return [...found.values()].some(({ severity }) => severity === 'error')
    },
    list: () =>
      [...found.values()].sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code)),
  }
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/** One line for people: `flow.yaml:3:5: message (code)`, and the fix below it. */
export const formatDiagnostic = ({ file, line, column, code, message, fix }: Diagnostic): string =>
  `${file}:${line}:${column}: ${message} (${code})${fix === undefined ? '' : `\n    fix: ${fix}`}`

/** The nearest of some names, for `did you mean`; undefined when none is near. */
export const nearest = (word: string, names: Iterable<string>): string | undefined => {
  let best: string | undefined
  let bestDistance = Math.min(3, Math.floor(word.length / 2) + 1)
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance || (distance === bestDistance && best === undefined && distance < word.length)) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** `; did you mean "x"?` or nothing. */
export const didYouMean = (word: string, names: Iterable<string>): string => {
  const name = nearest(word, names)
  return name === undefined ? '' : `; did you mean "${name}"?`
}

const editDistance = (a: string, b: string): number => {
  if (Math.abs(a.length - b.length) > 3) return 4
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 4
}
