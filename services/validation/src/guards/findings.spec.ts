// What the guards found on the labelled texts before they were made fast, in corpus/findings.jsonl: file, line, and for each guard its risk
// and its spans. A change of a detector changes lines of it, and shows them to who reviews it; a change of speed changes none.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { harmGuard, harmModel, injectionGuard, languageGuard, linksGuard, piiGuard, secretsGuard } from '@baton/policy/guard'

const CORPUS = join(import.meta.dirname, '..', '..', 'corpus')
/** Settings by which weak signs count as well. */
const GUARDS = [
  piiGuard({ min: 0 }),
  secretsGuard(),
  injectionGuard({ max: 0 }),
  harmGuard({ max: 0.05 }, harmModel),
  languageGuard({ allow: [] }),
  linksGuard({ allow: [] }),
]
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4
const linesOf = (file: string): readonly string[] => readFileSync(join(CORPUS, file), 'utf8').split('\n')
const plain = (line: string): string =>
  line
    .replaceAll('~', '')
    .replaceAll(/\{\{[a-z_]+\|(.*?)\}\}/g, '$1')
    .replaceAll('\\n', '\n')

type Row = readonly [file: string, line: number, ...looks: readonly (readonly (string | number)[])[]]

describe('guards on the labelled texts', () => {
  const rows = linesOf('findings.jsonl')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row) // the shape of the file above

  it.each(['pii', 'pii-second', 'pii-third', 'secrets', 'injection', 'injection-second', 'injection-third'])(
    'find what they found: %s',
    (name) => {
      const texts = linesOf(`${name}.txt`)
      const found = texts.flatMap((line, at): Row[] => {
        if (line === '' || line.startsWith('# ')) return []
        const looks = GUARDS.map((guard) => {
          const { risk, spans } = guard.inspect(plain(line), () => {})
          return [rounded(risk), ...spans.map(({ kind, start, end, score }) => `${kind} ${start}-${end} ${rounded(score)}`)]
        })
        return [[name, at + 1, ...looks]]
      })
      expect(found).toEqual(rows.filter(([file]) => file === name))
      expect(found.length).toBeGreaterThan(0)
    },
  )
})
