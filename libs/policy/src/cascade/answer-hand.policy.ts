// What can be checked of an answer beside its question, without knowing the right one: is it whole, do its sums add up, does its end
// follow from them, does it use what was given and nothing else. Each is a reason to believe it or not; how strong a one is learned.
import { HAND_CHARS_MAX, numbersIn } from '../router/prompt-hand.policy.ts'
import { type Sum, sumsIn } from './arithmetic.policy.ts'

/** An answer, the question it was given to, and what else is known of it (confidence, problems that validators found), by name. */
export type GivenAnswer = { readonly question: string; readonly answer: string; readonly signals?: Readonly<Record<string, number>> }

const MARKER = /####\s*([^\n]*)|\\boxed\{([^}\n]*)\}|(?:^|\n)[ \t]*(?:the )?(?:final )?answer(?: is)?[ \t]*:?[ \t]+([^\n]*)/i
const WORD_NUMBERS: Readonly<Record<string, number>> = Object.fromEntries([
  ['one', 1],
  ['two', 2],
  ['three', 3],
  ['four', 4],
  ['five', 5],
  ['six', 6],
  ['seven', 7],
  ['eight', 8],
  ['nine', 9],
  ['ten', 10],
  ['eleven', 11],
  ['twelve', 12],
  ['dozen', 12],
  ['twice', 2],
  ['double', 2],
  ['triple', 3],
  ['half', 2],
  ['third', 3],
  ['thirds', 3],
  ['quarter', 4],
  ['quarters', 4],
  ['fourth', 4],
  ['fifth', 5],
] as const)
/** Numbers that everybody may bring along: units of time and money, per cent. */
const COMMON = [1, 2, 7, 10, 12, 24, 52, 60, 100, 365, 1_000]
const { log1p } = Math

const isClose = (left: number, right: number): boolean => Math.abs(left - right) <= 0.01 * Math.max(1, Math.abs(right))
const flag = (holds: boolean): number => (holds ? 1 : 0)
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

type Reading = {
  readonly body: string
  readonly marked: boolean
  /** The number the answer ends with. */
  readonly final: number | undefined
  readonly sums: readonly Sum[]
  /** Numbers of the question, in digits and with those in words. */
  readonly given: ReadonlySet<number>
  readonly known: ReadonlySet<number>
}

const readingOf = (question: string, answer: string): Reading => {
  const marker = MARKER.exec(answer)
  const body = marker === null ? answer : answer.slice(0, marker.index)
  const ends = marker === null ? [] : numbersIn(marker[1] ?? marker[2] ?? marker[3] ?? '')
  const given = new Set(numbersIn(question))
  const words = (question.toLowerCase().match(/[a-z]+/g) ?? []).flatMap((word) => WORD_NUMBERS[word] ?? [])
  return {
    body,
    marked: marker !== null,
    final: ends.at(-1) ?? numbersIn(body).at(-1),
    sums: sumsIn(body),
    given,
    known: new Set([...given, ...words]),
  }
}

/** Whether what was computed holds together. */
const ofSums = ({ sums, final, given, known }: Reading): Readonly<Record<string, number>> => {
  const results = sums.map(({ result }) => result)
  const operands = sums.flatMap((sum) => sum.operands)
  const wrong = sums.filter(({ right }) => !right).length
  const sources = new Set([...known, ...results, ...COMMON])
  const invented = new Set(operands.filter((one) => !sources.has(one) && !sources.has(one / 100) && !sources.has(one * 100))).size
  const unused = results.slice(0, -1).filter((result) => result !== final && !operands.includes(result)).length
  const last = results.at(-1)
  const broken = results.filter((result) => !Number.isInteger(result)).length
  return {
    sums_right: log1p(sums.length - wrong),
    sums_wrong: log1p(wrong),
    any_wrong: flag(wrong > 0),
    no_sums: flag(sums.length === 0),
    follows: flag(last !== undefined && final !== undefined && isClose(last, final)),
    broken_results: log1p(broken),
    any_broken: flag(broken > 0),
    invented: log1p(invented),
    any_invented: flag(invented > 0),
    unused_results: log1p(unused),
    negative: flag(results.some((result) => result < 0)),
    steps_missing: log1p(Math.max(0, given.size - results.length)),
    steps: log1p(results.length) - log1p(known.size),
  }
}

/** Whether the end is one that the question can have. */
const ofEnd = ({ final, marked, given, known, body }: Reading): Readonly<Record<string, number>> => {
  const said = new Set(numbersIn(body))
  const used = [...given].filter((one) => said.has(one) || said.has(one / 100)).length
  const most = Math.max(0, ...known)
  return {
    marked: flag(marked),
    has_number: flag(marked && final !== undefined),
    broken_final: flag(final !== undefined && marked && !Number.isInteger(final)),
    final_given: flag(final !== undefined && known.has(final)),
    final_size: final === undefined ? 0 : log1p(Math.abs(final)),
    final_beside_given: final === undefined ? 0 : log1p(Math.abs(final)) - log1p(most),
    given_used: given.size === 0 ? 1 : used / given.size,
    given_unused: log1p(given.size - used),
  }
}

/** How it is told. */
const ofText = (question: string, answer: string, { body, marked }: Reading): Readonly<Record<string, number>> => ({
  whole: flag(marked || /[.!?)\]}"'`]\s*$/.test(answer)),
  chars: log1p(answer.length),
  sentences: log1p(count(body, /[.!?](?:\s|$)/g)),
  calculations: log1p(count(body, /<</g)),
  beside_question: log1p(body.length / Math.max(1, question.length)),
  doubts: log1p(count(answer, /\b(?:however|assum\w*|approximat\w*|about|round\w*|not|unsure|unclear|perhaps|maybe)\b/gi)),
  unknowns: log1p(count(answer, /\b(?:let's?|denote|equation|represents?|variable)\b/gi)),
  reasons: log1p(count(answer, /\b(?:so|therefore|since|because|thus)\b/gi)),
  already: flag(/\balready\b/i.test(answer)),
  remaining: log1p(count(answer, /\bremaining\b/gi)),
  refusal: flag(/\b(?:i cannot|i can't|i'm sorry|i am sorry|as an ai|unable to)\b/i.test(answer)),
})

/** The features by name; signals come as `signal_NAME`. */
export const answerHand = ({ question, answer, signals = {} }: GivenAnswer): Readonly<Record<string, number>> => {
  const [asked, said] = [question.slice(0, HAND_CHARS_MAX), answer.slice(0, HAND_CHARS_MAX).trim()]
  const reading = readingOf(asked, said)
  return {
    ...ofSums(reading),
    ...ofEnd(reading),
    ...ofText(asked, said, reading),
    ...Object.fromEntries(Object.entries(signals).map(([name, value]) => [`signal_${name}`, value])),
  }
}
