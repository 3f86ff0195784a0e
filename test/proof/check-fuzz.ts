// Mutations of real flows for the checker: whatever stands in a file, a check of it ends, soon, with diagnostics or a plan.
import fc from 'fast-check'

/** One change to a text, described by numbers so that fast-check can shrink it. */
export type Mutation = { readonly kind: number; readonly at: number; readonly to: number; readonly size: number; readonly piece: number }

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.nat(),
  at: fc.nat(1_000_000),
  to: fc.nat(1_000_000),
  size: fc.integer({ min: 1, max: 40 }),
  piece: fc.nat(),
})

/** Pieces of YAML, of the format and of expressions that have a meaning somewhere. */
const PIECES = [
  '{ } [ ] : , - # " \' | > &a *a !x ? --- ... << {{ }} = == && ! ? has( all(x, .map( [0] params. buffers. event. it. __proto__ constructor',
  'null true 1e999 -1 0x7f 180% 5s 0s 99999999999d 64KB \u0000 \uFEFF \uFFFD \uD800 🙂 \r \t =input =it =fault.code =run',
  'steps: parallel: map: vote: wait: emit: flow: agent: team: set: do: each: gate: when: then: else: returns: context: media: undo: failover:',
]
  .flatMap((words) => words.split(' '))
  .concat([
    ': ',
    ', ',
    '- ',
    '|\n',
    '%YAML 1.1\n',
    '\n---\n',
    '{{ it.x }}',
    ' ? a : b',
    '0.05 USD',
    'loop: { max: 3 }',
    'join: { quorum: 2 }',
  ])

type Change = (text: string, change: Mutation) => string
const VALUE = /(?<=[\w"']: )[^\n{[]+/g
const KEY = /\b\w+(?=:)/g
const WORD = /(?<==[^\n]*)\b[A-Za-z_]\w*/g
const EXPRESSION = /(?<=: )=[^\n,}]+/g

/** What breaks the text; most of it is refused by the parser. */
const OF_TEXT: readonly Change[] = [
  (text, { at, size }) => text.slice(0, at) + text.slice(at + size), // cut out
  (text, { at, to, size }) => text.slice(0, to) + text.slice(at, at + size) + text.slice(to), // repeat elsewhere
  (text, { at, piece }) => text.slice(0, at) + pieceOf(piece) + text.slice(at),
  (text, { at, piece }) => text.slice(0, at) + String.fromCharCode(piece % 65_536) + text.slice(at + 1),
  (text, { at }) => text.slice(0, at), // truncate
  (text, { at, size }) =>
    onLines(text, (lines) => lines.with(at % lines.length, ' '.repeat(size) + (lines[at % lines.length] ?? '').trimStart())),
  (text, { at, size }) => replaceNth(text, VALUE, at, `${'['.repeat(size * 30)}1${']'.repeat(size * 30)}`), // nesting
  (text, { at, size }) => replaceNth(text, VALUE, at, bomb(size)),
  (text, { size }) => `${text}\n${text.slice(text.indexOf('steps:') + 6).repeat(size)}`, // many steps
]

/** What leaves the text readable and comes to the passes behind. */
const OF_MEANING: readonly Change[] = [
  (text, { at, to }) => onLines(text, (lines) => lines.toSpliced(to % lines.length, 0, lines[at % lines.length] ?? '')),
  (text, { at }) => onLines(text, (lines) => lines.toSpliced(at % lines.length, 1)),
  (text, { at, to }) => onLines(text, (lines) => swap(lines, at % lines.length, to % lines.length)),
  (text, { at, piece }) => replaceNth(text, VALUE, at, pieceOf(piece)),
  (text, { at, to }) => replaceNth(text, VALUE, at, nth(text, VALUE, to)),
  (text, { at, to }) => replaceNth(text, KEY, at, nth(text, KEY, to)),
  (text, { at, to }) => replaceNth(text, WORD, at, nth(text, WORD, to)),
  (text, { at, to }) => replaceNth(text, EXPRESSION, at, nth(text, EXPRESSION, to)),
  (text, { at, size }) => replaceNth(text, EXPRESSION, at, `=${'('.repeat(size * 20)}1${')'.repeat(size * 20)}`),
]
const KINDS: readonly Change[] = [...OF_TEXT, ...OF_MEANING, ...OF_MEANING]

const pieceOf = (piece: number): string => PIECES[piece % PIECES.length] ?? ''
const onLines = (text: string, change: (lines: readonly string[]) => readonly string[]): string => change(text.split('\n')).join('\n')
const swap = (lines: readonly string[], a: number, b: number): readonly string[] => lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '')
const nth = (text: string, pattern: RegExp, index: number): string => {
  const found = text.match(pattern) ?? ['x']
  return found[index % found.length] ?? 'x'
}
const replaceNth = (text: string, pattern: RegExp, index: number, by: string): string => {
  const total = text.match(pattern)?.length ?? 0
  let seen = -1
  return total === 0 ? text : text.replace(pattern, (match) => ((seen += 1) === index % total ? by : match))
}
/** Aliases of aliases: 9 to the power of `size` values in a few hundred characters. */
const bomb = (size: number): string => {
  const levels = Array.from(
    { length: Math.min(size, 30) },
    (_, level) =>
      `&v${level} [${
        level === 0
          ? 'x'
          : Array(9)
              .fill(`*v${level - 1}`)
              .join(', ')
      }]`,
  )
  return `[${levels.join(', ')}]`
}

/** Longer texts are refused by their length alone, so nothing is learned from them. */
const MAX_CHARS = 200_000

export const mutate = (text: string, changes: readonly Mutation[]): string =>
  changes
    .reduce((current, change) => {
      const length = current.length + 1
      const kind = KINDS[change.kind % KINDS.length]
      return kind === undefined ? current : kind(current, { ...change, at: change.at % length, to: change.to % length })
    }, text)
    .slice(0, MAX_CHARS)

/** A flow of `count` with some changes. */
export const mutated = (count: number): fc.Arbitrary<{ readonly flow: number; readonly changes: readonly Mutation[] }> =>
  fc.noBias(fc.record({ flow: fc.nat(count - 1), changes: fc.array(mutation, { minLength: 1, maxLength: 3 }) }))

type Checked = { readonly ok: boolean; readonly diagnostics: readonly { file: string; line: number; column: number; code: string }[] }

/** What must not be in an answer of the checker: a refusal without a reason, a place outside the files. */
export const flawsOf = (files: ReadonlyMap<string, string>, { ok, diagnostics }: Checked): readonly string[] => [
  ...(ok || diagnostics.length > 0 ? [] : ['refused without a diagnostic']),
  ...diagnostics
    .filter(({ file, line, column }) => {
      const length = (files.get(file) ?? '').split('\n')[line - 1]?.length ?? -1
      return line < 1 || column < 1 || column > length + 1
    })
    .map(({ file, line, column, code }) => `${code} stands outside the file: ${file}:${line}:${column}`),
]
