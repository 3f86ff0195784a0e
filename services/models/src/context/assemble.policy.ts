// What a model gets to see, put together from parts within a number of tokens.
//   C1. Nothing is cut in silence: of every part that lost something it is told how many tokens and how; the text says so at its place.
//   C2. First each part is brought within its own number. Then the parts with the highest number in `priority` are shortened first, each in
//       its own way, down to its least, before the next one is touched.
//   C3. A part that may not be shortened is whole, or the step fails with `context.too_large`.
//   C4. Lists are cut at their entries: a message, a passage or a finding is there or not. Only a single entry that is too long is cut
//       within, and one without which a part would have less than its least.
//   C5. The result has at most the number of tokens that was asked for: the sum of its pieces and one between two, each counted exactly
//       wherever the cheap bound did not settle it.
//   C6. The same parts give the same text.
import { Fault } from '@baton/contracts/fault'
import { summaryOf } from './summary.policy.ts'
import { tokensAtMost, type CountTokens } from './tokens.policy.ts'

/** One message, passage or finding; `tokens` where they were counted before. */
export type Entry = { readonly text: string; readonly tokens?: number }
export type Cut = 'end' | 'start' | 'middle' | 'summary' | 'never'
export type Part = {
  readonly name: string
  readonly entries: readonly Entry[]
  /** 1 is kept longest. */
  readonly priority: number
  readonly cut: Cut
  /** At most so many tokens, and at least so many where it has them. */
  readonly tokens?: number
  readonly least?: number
}
/** What a part lost: `how` is `end`, `start`, `middle`, `summary`, or `all`. */
export type LeftOut = { readonly part: string; readonly tokens: number; readonly how: string }
export type Assembled = {
  readonly parts: readonly { readonly name: string; readonly text: string; readonly tokens: number }[]
  readonly tokens: number
  readonly leftOut: readonly LeftOut[]
}

/** What stands between two entries. */
const GLUE = '\n'
const GLUE_TOKENS = 1
/** Tokens of the words that say what was left out. */
const NOTE_TOKENS = 16
/** A cut within an entry keeps at least so many tokens of it; less is not worth a cut. */
const ENTRY_TOKENS_MIN = 24

type Sized = { readonly part: Part; readonly sizes: readonly number[]; readonly tokens: number }

const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size + GLUE_TOKENS, 0)

const sized = (part: Part, size: (entry: Entry) => number): Sized => {
  const sizes = part.entries.map(size)
  return { part, sizes, tokens: sumOf(sizes) }
}

/** As much of one side of a text as has at most so many tokens, whole words. A few counts find it: tokens are spread evenly enough. */
const within = (text: string, tokens: number, { count, side }: { count: CountTokens; side: 'start' | 'end' }): string => {
  const all = count(text)
  if (all <= tokens) return text
  const take = (chars: number): string => (side === 'end' ? text.slice(0, chars) : text.slice(text.length - chars))
  let chars = Math.floor((text.length * tokens) / all)
  let best = 0
  for (let round = 0; round < 6 && chars > 0; round++) {
    const counted = count(take(chars))
    if (counted <= tokens && chars > best) best = chars
    if (counted <= tokens && tokens - counted <= tokens * 0.02 + 1) break
    chars = Math.min(text.length - 1, Math.floor((chars * tokens) / Math.max(1, counted)) - (counted > tokens ? 4 : 0))
  }
  const cut = take(best)
  return side === 'end'
    ? cut.replace(/[\uD800-\uDBFF]$/, '').replace(/\s+\S{0,30}$/, '')
    : cut.replace(/^[\uDC00-\uDFFF]/, '').replace(/^\S{0,30}\s+/, '')
}

/** Text with its tokens. A note says what was left out, and is no part of what was given. */
type Piece = { readonly text: string; readonly tokens: number; readonly note?: true }
type Kept = Piece

/** The entries from one side that fit, and what of the next one does. */
const oneSide = (part: Sized, room: number, { side, count }: { side: 'start' | 'end'; count: CountTokens }): readonly Piece[] => {
  const entries = part.part.entries.map((entry, at) => ({ text: entry.text, tokens: part.sizes[at] ?? 0 }))
  const kept: Piece[] = []
  let left = room
  for (const entry of side === 'end' ? entries : entries.toReversed()) {
    if (entry.tokens + GLUE_TOKENS > left) {
      const isNeeded = kept.length === 0 || room - left < Math.min(room, part.part.least ?? 0)
      if (isNeeded && left > ENTRY_TOKENS_MIN) {
        const text = within(entry.text, left - GLUE_TOKENS, { count, side }) // C4
        kept.push({ text, tokens: count(text) })
      }
      break
    }
    kept.push(entry)
    left -= entry.tokens + GLUE_TOKENS
  }
  return side === 'end' ? kept : kept.toReversed()
}

const noteOf = (tokens: number, how: string): Piece => ({
  text: `[${tokens} tokens left out here: ${how}]`,
  tokens: NOTE_TOKENS,
  note: true,
})

const cutters: Readonly<Record<Exclude<Cut, 'never'>, (part: Sized, room: number, count: CountTokens) => readonly Piece[]>> = {
  end: (part, room, count) => [...oneSide(part, room, { side: 'end', count }), noteOf(part.tokens - room, 'the end')],
  start: (part, room, count) => [noteOf(part.tokens - room, 'the beginning'), ...oneSide(part, room, { side: 'start', count })],
  middle: (part, room, count) => {
    const half = Math.floor(room / 2)
    const first = oneSide(part, half, { side: 'end', count })
    const last = oneSide(part, room - half, { side: 'start', count })
    return [...first, noteOf(part.tokens - room, 'the middle'), ...last]
  },
  summary: (part, room, count) => {
    // The newest stay as they are, with two thirds of the room; of what is before them the rest is a summary.
    const last = oneSide(part, Math.floor((room * 2) / 3), { side: 'start', count })
    // Not even the last entry fits: it is summarised like the others, not cut in half.
    const newest = last.length === 1 && last[0]?.text !== part.part.entries.at(-1)?.text ? [] : last
    const older = part.part.entries.slice(0, Math.max(0, part.part.entries.length - newest.length))
    const summary = summaryOf(
      older.map(({ text }) => text),
      room - sumOf(newest.map(({ tokens }) => tokens)) - 2 * (NOTE_TOKENS + GLUE_TOKENS),
      count,
    )
    const begin: Piece = { text: `[of ${older.length} earlier entries, their most telling sentences:]`, tokens: NOTE_TOKENS, note: true }
    const rest: Piece = { text: '[from here on as it was:]', tokens: NOTE_TOKENS, note: true }
    return [begin, summary, ...(newest.length === 0 ? [] : [rest, ...newest])]
  },
}

const wholeOf = ({ part }: Sized): string => part.entries.map(({ text }) => text).join(GLUE)

const NOTHING_KEPT = { text: '', tokens: 0, how: 'all' } as const

/** A part brought within a number of tokens. */
const shorten = (part: Sized, tokens: number, count: CountTokens): Kept & { readonly how: string } => {
  const { cut, name } = part.part
  if (cut === 'never')
    throw new Fault(
      'context.too_large',
      `${name} has ${part.tokens} tokens, there is room for ${Math.max(0, tokens)}, and it may not be shortened.`,
      {
        part: name,
        tokens: part.tokens,
        tokensMax: Math.max(0, tokens),
      },
    ) // C3
  const room = tokens - NOTE_TOKENS - GLUE_TOKENS
  if (room <= 0) return NOTHING_KEPT
  const pieces = cutters[cut](part, room, count).filter(({ text }) => text !== '')
  const counted = sumOf(pieces.map((piece) => piece.tokens))
  // Only a note is left: it says no more than the meter does.
  if (pieces.every(({ note }) => note === true) || counted > tokens) return NOTHING_KEPT
  return { text: pieces.map(({ text }) => text).join(GLUE), tokens: counted, how: cut }
}

type Work = { readonly part: Sized; kept: (Kept & { readonly how?: string }) | undefined }

const keptTokens = ({ part, kept }: Work): number => kept?.tokens ?? part.tokens

const leftOutOf = (works: readonly Work[]): readonly LeftOut[] =>
  works.flatMap(({ part, kept }) =>
    kept?.how === undefined ? [] : [{ part: part.part.name, tokens: Math.max(1, part.tokens - kept.tokens), how: kept.how }],
  )

/** Puts the parts together, at most `tokens` of them (no limit where absent). Throws `context.too_large` (C3). */
export const assembleContext = ({
  parts,
  tokens,
  count,
}: {
  readonly parts: readonly Part[]
  readonly tokens?: number | undefined
  readonly count: CountTokens
}): Assembled => {
  const size = (entry: Entry): number => entry.tokens ?? count(entry.text)
  const works: readonly Work[] = parts.map((part) => ({ part: sized(part, size), kept: undefined }))
  for (const work of works) {
    const most = work.part.part.tokens
    if (most !== undefined && work.part.tokens > most) work.kept = shorten(work.part, most, count) // C2
  }
  let excess = tokens === undefined ? 0 : works.reduce((sum, work) => sum + keptTokens(work), 0) - tokens
  // What may not be shortened is left as it is: it fails below when the others have given all they can.
  const order = works
    .filter((work) => work.part.part.cut !== 'never')
    .toSorted((left, right) => right.part.part.priority - left.part.part.priority)
  for (const work of order) {
    if (excess <= 0) break
    const now = keptTokens(work)
    const target = Math.max(work.part.part.least ?? 0, now - excess)
    if (target >= now) continue
    work.kept = shorten(work.part, target, count)
    excess -= now - work.kept.tokens
  }
  if (excess > 0)
    throw new Fault('context.too_large', `The parts have ${excess} tokens more than there is room for.`, {
      tokensMax: tokens ?? 0,
      tokens: excess,
    })
  const made = works.map((work) => ({ name: work.part.part.name, text: work.kept?.text ?? wholeOf(work.part), tokens: keptTokens(work) }))
  return { parts: made, tokens: made.reduce((sum, one) => sum + one.tokens, 0), leftOut: leftOutOf(works) }
}

/** Whether the parts fit by the cheap bound: then nothing has to be counted (C5). */
export const fitsSurely = (parts: readonly Part[], tokens: number | undefined): boolean => {
  let all = 0
  for (const part of parts) {
    let own = 0
    for (const entry of part.entries) own += (entry.tokens ?? tokensAtMost(entry.text)) + GLUE_TOKENS
    if (part.tokens !== undefined && own > part.tokens) return false
    all += own
  }
  return tokens === undefined || all <= tokens
}
