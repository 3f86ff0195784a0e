// Mutations of real flows for the checker: whatever stands in a file, a check of it ends, soon, with diagnostics or a plan.
import fc from 'fast-check'

/** One change to a text, described by numbers so that fast-check can shrink it. */
export type Mutation = { readonly kind: number; readonly at: number; readonly to: number; readonly size: number; readonly piece: number }

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.nat(),
  at: fc.nat(1_000_000),
  to: fc.nat(1_000_000),
  size: fc.integer({ min: 1, max: 40 }),
  piece: fc.nat(),
})

/** Pieces of YAML, of the format and of expressions that have a meaning somewhere. */
const PIECES = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ': ',
    ', ',
    '- ',
    '#',
    '"',
    "'",
    '|\n',
    '>\n',
    '&a ',
    '*a',
    '!x ',
    '? ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '\t',
    '<<: *a',
  ],
  ...[
    '{{',
    '}}',
    '{{ it.x }}',
    '=',
    '==',
    '&&',
    '!',
    '? : ',
    'has(',
    'all(x, ',
    '.map(',
    '[0]',
    'params.',
    'buffers.',
    'event.',
    '__proto__',
  ],
  ...[
    'null',
    'true',
    '1e999',
    '-1',
    '0x7f',
    '180%',
    '5s',
    '99999999999d',
    '0.05 USD',
    '64KB',
    '\u0000',
    '\uFEFF',
    '\uFFFD',
    '\uD800',
    '🙂',
    '\r',
  ],
  ...[
    'steps:\n',
    'parallel:',
    'map:',
    'loop: { max: 3 }',
    'vote: 3',
    'wait: 1s',
    'emit: x',
    'flow: a/b',
    'agent: a',
    'team:',
    'set:',
    'do:',
    'each:',
  ],
  ...[
    'gate:',
    'when:',
    'then: ',
    'else: ',
    'returns:',
    'join: { quorum: 2 }',
    'context:',
    'media:',
    'undo:',
    'failover:',
    'cache: 1s',
    'triggers:',
  ],
] as const

const KINDS: readonly ((text: string, change: Mutation) => string)[] = [
  (text, { at, size }) => text.slice(0, at) + text.slice(at + size), // cut out
  (text, { at, to, size }) => text.slice(0, to) + text.slice(at, at + size) + text.slice(to), // repeat elsewhere
  (text, { at, piece }) => text.slice(0, at) + (PIECES[piece % PIECES.length] ?? '') + text.slice(at),
  (text, { at, piece }) => text.slice(0, at) + String.fromCharCode(piece % 65_536) + text.slice(at + 1),
  (text, { at }) => text.slice(0, at), // truncate
  (text, { at, to }) => onLines(text, (lines) => lines.toSpliced(to % lines.length, 0, lines[at % lines.length] ?? '')),
  (text, { at }) => onLines(text, (lines) => lines.toSpliced(at % lines.length, 1)),
  (text, { at, to }) => onLines(text, (lines) => swap(lines, at % lines.length, to % lines.length)),
  (text, { at, size }) =>
    onLines(text, (lines) => lines.with(at % lines.length, ' '.repeat(size) + (lines[at % lines.length] ?? '').trimStart())),
  (text, { at, piece }) => replaceNth(text, /(?<=[\w"']: )[^\n{[]+/g, at, PIECES[piece % PIECES.length] ?? ''), // another value
  (text, { at, to }) => replaceNth(text, /\b\w+(?=:)/g, at, nth(text, /\b\w+(?=:)/g, to)), // another key
  (text, { at, size }) => replaceNth(text, /(?<=[\w"']: )[^\n{[]+/g, at, `${'['.repeat(size * 30)}1${']'.repeat(size * 30)}`), // nesting
  (text, { at, size }) => replaceNth(text, /(?<=: )=[^\n,}]+/g, at, `=${'('.repeat(size * 20)}1${')'.repeat(size * 20)}`),
  (text, { at, size }) => replaceNth(text, /(?<=[\w"']: )[^\n{[]+/g, at, bomb(size)),
  (text, { size }) => `${text}\n${text.slice(text.indexOf('steps:') + 6).repeat(size)}`, // many steps
]

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
  fc.record({ flow: fc.nat(count - 1), changes: fc.array(mutation, { minLength: 1, maxLength: 6 }) })
