// Guards on a text that is still being written: what was found late cannot be taken back, so the end is held back until more is known.
//   H1. The last `holdChars` characters stay behind, and a word is never cut: what a guard finds within a window as long is found whole.
//   H2. What is to be redacted is replaced before it leaves; a finding that reaches to the end of what came is held until it ends.
//   H3. When something blocks or asks, nothing more leaves, whatever still comes.
//   H4. At the end the whole text is looked at once more, as if it had come at once; that verdict counts, what has left notwithstanding.
//   H5. What leaves is, beside what was redacted, what came, in order, whole and once.
import { concluded, findingsOf, redactedByAll } from './conclude.policy.ts'
import type { Deadline, Finding, Guard, GuardVerdict } from './guard.ts'
import { arranged, replaced } from './spans.policy.ts'

export type StreamGuardOptions = {
  /** Characters that stay behind: as long as what guards have to see whole. */
  readonly holdChars?: number
  /** Guards look again when so many characters came. */
  readonly strideChars?: number
  /** Of the whole text; a longer one is stopped. */
  readonly maxChars?: number
  /** Time of one look. */
  readonly deadline?: () => Deadline
}

/** What may go on now. `stopped`: nothing more will (H3). */
export type StreamStep = { readonly text: string; readonly stopped: boolean }

/** A guard of one text as it is written. Pure but for what it remembers: the same pieces give the same steps. */
export type StreamGuard = {
  /** Takes the next piece and gives what may go on. */
  readonly push: (piece: string) => StreamStep
  /** Nothing more comes: gives the rest, and the verdict on the whole (H4). */
  readonly end: () => StreamStep & { readonly verdict: GuardVerdict }
}

/** Of what has left, so much is looked at again: a label before a number says what the number is. */
const CONTEXT_CHARS = 200
/** A text without a blank is cut all the same when so many times `holdChars` are held. */
const HELD_TIMES_MAX = 8

const noDeadline = (): Deadline => () => {}
const isBlank = (character: string | undefined): boolean => character === undefined || /\s/.test(character)

/** Where a text may be cut at the latest: before a blank, at most at `to`; 0 where there is none. */
const blankBefore = (text: string, to: number): number => {
  let at = Math.max(0, Math.min(to, text.length))
  while (at > 0 && !isBlank(text[at])) at -= 1
  return at
}

const tooLong = (maxChars: number): GuardVerdict => ({
  ok: false,
  action: 'block',
  score: 0,
  reason: `the text is longer than the ${maxChars} characters that guards may read`,
  findings: [],
})

/** What has come and not left. */
class Held {
  /** What has left, as it left: its end only. */
  #context = ''
  #held = ''
  readonly #guards: readonly Guard[]
  readonly #holdChars: number

  constructor(guards: readonly Guard[], holdChars: number) {
    this.#guards = guards
    this.#holdChars = holdChars
  }

  add(piece: string): void {
    this.#held += piece
  }

  /** What may leave now; undefined where something blocks or asks, and nothing is held any more (H3). */
  take(isEnd: boolean, deadline: Deadline): string | undefined {
    const findings = this.#found(deadline)
    if (findings.some(({ action }) => action === 'block' || action === 'ask')) {
      this.#held = ''
      return undefined
    }
    const redacting = arranged(
      this.#held,
      findings.filter(({ action }) => action === 'redact'),
    )
    return this.#leave(redacting, this.#cutOf(redacting, isEnd), deadline)
  }

  /** Findings in what is held, by places in it. */
  #found(deadline: Deadline): readonly Finding[] {
    const before = this.#context.length
    const text = this.#context + this.#held
    return this.#guards
      .flatMap((guard) => findingsOf(guard, text, deadline).findings)
      .filter(({ end }) => end > before)
      .map((finding) => ({ ...finding, start: Math.max(0, finding.start - before), end: finding.end - before }))
  }

  /** Where what is held may be cut, so that no finding to redact and no word is (H1, H2). */
  #cutOf(redacting: readonly Finding[], isEnd: boolean): number {
    const { length } = this.#held
    if (isEnd) return length
    let cut = blankBefore(this.#held, length - this.#holdChars)
    for (const { start, end } of redacting.toReversed()) if (start < cut && end >= cut) cut = start
    return cut > 0 || length < HELD_TIMES_MAX * this.#holdChars ? cut : length - this.#holdChars
  }

  #leave(redacting: readonly Finding[], cut: number, deadline: Deadline): string {
    const leaving = redacting.filter(({ start }) => start < cut).map((span) => ({ ...span, end: Math.min(span.end, cut) }))
    const placeholderOf = ({ guard, kind }: Finding): string =>
      this.#guards.find(({ name }) => name === guard)?.placeholderOf(kind) ?? '[REDACTED]'
    const once = replaced(this.#held.slice(0, cut), leaving, placeholderOf)
    const text = leaving.length === 0 ? once : redactedByAll(this.#guards, once, deadline)
    this.#held = this.#held.slice(cut)
    this.#context = (this.#context + text).slice(-CONTEXT_CHARS)
    return text
  }
}

const verdictOn = (guards: readonly Guard[], text: string, deadline: Deadline): GuardVerdict => {
  const looks = guards.map((guard) => findingsOf(guard, text, deadline))
  return concluded(
    looks.flatMap(({ findings }) => findings),
    Math.max(0, ...looks.map(({ risk }) => risk)),
  )
}

/** Guards a text piece by piece. A guard that throws (time, failure) lets the exception through: what follows is the caller's to say. */
export const streamGuard = (guards: readonly Guard[], options: StreamGuardOptions = {}): StreamGuard => {
  const { holdChars = 256, strideChars = 64, maxChars = 200_000, deadline = noDeadline } = options
  const held = new Held(
    guards.filter(({ whole }) => whole !== true),
    holdChars,
  )
  let all = ''
  let lookedChars = 0
  let stopped = false
  const step = (isEnd: boolean): StreamStep => {
    const text = held.take(isEnd, deadline())
    stopped = text === undefined
    return { text: text ?? '', stopped }
  }
  return {
    push: (piece) => {
      all += piece
      held.add(piece)
      if (all.length > maxChars) stopped = true
      if (stopped || all.length - lookedChars < strideChars) return { text: '', stopped }
      lookedChars = all.length
      return step(false)
    },
    end: () => {
      const verdict = all.length > maxChars ? tooLong(maxChars) : verdictOn(guards, all, deadline()) // H4
      if (!verdict.ok) stopped = true
      return stopped ? { text: '', stopped, verdict } : { ...step(true), verdict }
    },
  }
}
