// The traps of YAML in a flow file. A scalar that YAML reads as something else gets the quoted form to write instead.
import type { YAMLError } from 'yaml'
import type { Report } from '../diagnostic.ts'
import type { Source, Span } from './source.ts'

const SYNTAX_WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents this line; YAML takes spaces only',
  MULTIPLE_DOCS: 'the file holds several documents; a flow is one',
}

/** What quoting cures; anything else is reported in the parser's own words. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^!/, '"!" starts a tag in YAML'],
  [/^[&*]/, '"*" and "&" start an alias or anchor in YAML'],
  [/^[@`%]/, 'YAML reserves this first character'],
  [/^\{\{/, '"{{" starts two maps in YAML'],
  [/^["'].*["']\s*\S/, 'the quotes end the text in YAML, and something follows them'],
  [/\?.* : /, '"? :" makes a key and a value in YAML'],
  [/: /, '": " makes a key in YAML'],
  [/[[\]]/, 'brackets inside braces start a list in YAML'],
  [/,/, 'a comma inside braces starts the next key in YAML'],
]

/** Reports an error or warning of the parser, as a trap where quoting helps. */
export const explainYamlError = (source: Source, problem: YAMLError, report: Report): void => {
  const at = { source, start: problem.pos[0], end: problem.pos[1] }
  const words = SYNTAX_WORDS[problem.code]
  if (words !== undefined) {
    report.add(at, 'yaml.syntax', words)
    return
  }
  if (!explainTrap(at, report)) report.add(at, 'yaml.syntax', problem.message.replace(/\s+$/, ''))
}

/** A key without a value inside braces is the rest of a text with a comma. Reports it and says so. */
export const explainKeyWithoutValue = (keyAt: Span, report: Report): boolean => explainTrap(keyAt, report)

/** A key that is a map or list, or an alias that leads nowhere. */
export const explainOddKey = (at: Span, report: Report): void => {
  if (!explainTrap(at, report)) report.add(at, 'yaml.syntax', 'a key must be plain text')
}

const explainTrap = (at: Span, report: Report): boolean => {
  const field = fieldAround(at)
  if (field === undefined) return false
  const reason = REASONS.find(([pattern]) => pattern.test(field.value))
  if (reason === undefined) return false
  report.add(at, 'yaml.trap', `${reason[1]}, so this is not read as the text it looks like`, `${field.key}: ${quoted(field.value)}`)
  return true
}

/** The innermost `key: value` of the line whose value begins at or before the place, as the writer meant it. */
const fieldAround = ({ source: { text }, start }: Span): { readonly key: string; readonly value: string } | undefined => {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const lineEnd = text.indexOf('\n', start)
  const line = text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd)
  const keys = [...line.matchAll(/(?<=^|[\s{,])([A-Za-z_][\w-]*):\s+/g)].map((match) => ({
    key: match[1] ?? '',
    start: match.index,
    valueStart: match.index + match[0].length,
  }))
  const own = keys.findLast((candidate) => candidate.valueStart <= start - lineStart)
  if (own === undefined) return undefined
  const insideBraces = count(line.slice(0, own.start), '{') > count(line.slice(0, own.start), '}')
  if (!insideBraces) return { key: own.key, value: line.slice(own.valueStart).trimEnd() }
  const next = keys.find((candidate) => candidate.start > own.valueStart && /,\s*$/.test(line.slice(own.valueStart, candidate.start)))
  const rest =
    next === undefined ? line.slice(own.valueStart).replace(/\}[^}]*$/, '') : line.slice(own.valueStart, next.start).replace(/,\s*$/, '')
  return { key: own.key, value: rest.trim() }
}

const count = (text: string, character: string): number => text.split(character).length - 1

/** Text in the quotes that need the fewest escapes. */
export const quoted = (text: string): string => (text.includes('"') && !text.includes("'") ? `'${text}'` : JSON.stringify(text))

/**
 * A plain prompt that a comment cuts: ` #` begins a comment in YAML, and the rest of the sentence is gone without a word.
 */
export const cutByComment = ({ source: { text }, end }: Span): string | undefined => {
  const rest = /^[ \t]+#[^\n]*/.exec(text.slice(end))
  return rest === null ? undefined : rest[0]
}
