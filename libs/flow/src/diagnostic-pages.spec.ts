import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { compileFlow } from './compile.ts'
import { DIAGNOSTIC_PAGES, diagnosticPageFiles, type DiagnosticPage } from './diagnostic-pages.ts'
import { formatDiagnostic, type Diagnostic } from './diagnostic.ts'

const docs = join(import.meta.dirname, '../../../docs')
const pages = Object.entries(DIAGNOSTIC_PAGES)
const check = ({ files = {} }: DiagnosticPage, text: string): readonly Diagnostic[] =>
  compileFlow({ files: new Map([...Object.entries(files), ...(text === '' ? [] : [['flow.yaml', text] as const])]), entry: 'flow.yaml' })
    .diagnostics

describe('the pages of the diagnostics', () => {
  it.each(pages.filter(([, { foundBy }]) => foundBy === 'compiler'))('G2: %s: the example gives the code', (code, page) => {
    expect(check(page, page.wrong).map((found) => found.code)).toEqual([code])
  })

  it.each(pages.flatMap(([code, page]) => (page.right === undefined ? [] : [[code, page, page.right] as const])))(
    'G2: %s: the corrected example has no mistake',
    (_, page, right) => {
      expect(check(page, right).map(formatDiagnostic)).toEqual([])
    },
  )

  it('G1: stand in docs/diagnostics as they are here (else run `npm run build && npm run gen`)', () => {
    const files = [...diagnosticPageFiles()]
    expect(files.filter(([path, text]) => !existsSync(join(docs, path)) || readFileSync(join(docs, path), 'utf8') !== text)).toEqual([])
    expect(
      readdirSync(join(docs, 'diagnostics'))
        .map((name) => `diagnostics/${name}`)
        .sort(),
    ).toEqual(files.map(([path]) => path).sort())
  })
})
