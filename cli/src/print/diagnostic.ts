import type { Diagnostic } from '@baton/flow'
import type { Paint } from './paint.ts'

const LINE_WIDTH = 160

/** The page that explains a code. */
export const pageOf = (code: string): string => `docs/diagnostics/${code}.md`

/** A diagnostic for people: where, what, the line with a caret under the place, the fix and the page of its code. */
export const diagnosticText = (
  found: Diagnostic,
  { text, paint }: { readonly text: string | undefined; readonly paint: Paint },
): string => {
  const { file, line, column, code, severity, message, fix } = found
  const colour = severity === 'error' ? paint.red : paint.yellow
  return [
    `${paint.bold(`${file}:${line}:${column}`)} ${colour(severity)} ${code}: ${message}`,
    ...excerpt(text, { line, column, paint, colour }),
    ...(fix === undefined ? [] : [`  ${paint.green('fix:')} ${fix.split('\n').join('\n       ')}`]),
    `  ${paint.dim(`see ${pageOf(code)}`)}`,
  ].join('\n')
}

/** The line of a place with a caret below; a long line is cut around the place. */
const excerpt = (
  text: string | undefined,
  { line, column, paint, colour }: { line: number; column: number; paint: Paint; colour: (text: string) => string },
): readonly string[] => {
  const whole = text?.split('\n')[line - 1]?.replace(/\r$/, '')
  if (whole === undefined) return []
  const from = column > LINE_WIDTH - 20 ? column - 60 : 0
  const shown = `${from > 0 ? '…' : ''}${whole.slice(from, from + LINE_WIDTH)}${whole.length > from + LINE_WIDTH ? '…' : ''}`
  const before = whole.slice(from, column - 1).replaceAll(/[^\t]/g, ' ')
  const length = Math.max(1, /^(?:[\w.@/-]+|"[^"]*"|'[^']*'|=\S*)/.exec(whole.slice(column - 1))?.[0].length ?? 1)
  const gutter = String(line)
  return [
    `  ${paint.dim(`${gutter} |`)} ${shown}`,
    `  ${paint.dim(`${' '.repeat(gutter.length)} |`)} ${from > 0 ? ' ' : ''}${before}${colour('^'.repeat(Math.min(length, LINE_WIDTH)))}`,
  ]
}
