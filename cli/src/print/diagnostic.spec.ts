import { describe, expect, it } from '@jest/globals'
import type { Diagnostic } from '@baton/flow'
import { diagnosticText } from './diagnostic.ts'
import { openPaint } from './paint.ts'

const found: Diagnostic = {
  file: 'flow.yaml',
  line: 2,
  column: 9,
  code: 'reference.unknown',
  severity: 'error',
  message: 'there is no step "clasify"',
  fix: 'classify',
}
const plain = openPaint({ terminal: false })

describe('a diagnostic for people', () => {
  it('shows the line with a caret under the place, the fix and the page', () => {
    expect(diagnosticText(found, { text: 'steps:\n  when: clasify.intent\n', paint: plain })).toBe(
      [
        'flow.yaml:2:9 error reference.unknown: there is no step "clasify"',
        '  2 |   when: clasify.intent',
        '    |         ^^^^^^^^^^^^^^',
        '  fix: classify',
        '  see docs/diagnostics/reference.unknown.md',
      ].join('\n'),
    )
  })

  it('keeps the caret below its place behind tabs and in long lines', () => {
    const [, , tabbed] = diagnosticText({ ...found, line: 1, column: 3 }, { text: '\t\tword', paint: plain }).split('\n')
    expect(tabbed).toBe('    | \t\t^^^^')
    const long = `${'x'.repeat(300)} here`
    const [, line = '', caret = ''] = diagnosticText({ ...found, line: 1, column: 302 }, { text: long, paint: plain }).split('\n')
    expect(line.slice(caret.indexOf('^'), caret.indexOf('^') + 4)).toBe('here')
    expect(line.length).toBeLessThan(200)
  })

  it('does without an excerpt where there is no text', () => {
    expect(diagnosticText({ ...found, line: 9 }, { text: 'one line', paint: plain })).not.toContain('|')
    expect(diagnosticText(found, { text: undefined, paint: plain })).not.toContain('|')
  })

  it('has colour on a terminal only, and not where NO_COLOR asks for none', () => {
    const text = (paint: ReturnType<typeof openPaint>): string => diagnosticText(found, { text: undefined, paint })
    expect(text(openPaint({ terminal: true }))).toContain('\u001b[31merror')
    expect(text(openPaint({ terminal: true, env: { NO_COLOR: '1' } }))).not.toContain('\u001b')
    expect(text(plain)).not.toContain('\u001b')
  })
})
