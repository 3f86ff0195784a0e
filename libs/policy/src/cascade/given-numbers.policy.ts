// Numbers that a question gives and an answer makes no use of: the sign of a call that left out half of what was asked.

const DATE_OR_TIME = /\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|\d{1,2}:\d{2}|\d+(?:st|nd|rd|th)\b/gi
const LIST_MARK = /^[ \t]*\d{1,2}[.)]\s/gm
/** Not digits inside a word or behind a power sign: CO2, m^2. */
const GIVEN = /(?<![\p{L}\d^_.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?/gu
const ANY = /(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?/g
const CHARS_MAX = 20_000
const POWERS_MAX = 9

const valueOf = (text: string): number => Number(text.replaceAll(',', ''))

/** Whether one is the other in another unit of tens: 5 % and 0.05, 3 million and 3,000,000. */
const isConverted = (given: number, used: number): boolean => {
  if (used === given) return true
  if (used <= 0) return false
  const power = Math.log10(given / used)
  return Math.abs(power - Math.round(power)) < 1e-9 && Math.abs(power) <= POWERS_MAX + 0.5
}

/** The numbers of a question, each once, that stand nowhere in an answer. 0 and 1, dates, times and ordinals are left out. */
export const unusedNumbers = (question: string, answer: string): readonly number[] => {
  const asked = question.slice(0, CHARS_MAX).replaceAll(DATE_OR_TIME, ' ').replaceAll(LIST_MARK, ' ')
  const given = new Set((asked.match(GIVEN) ?? []).map(valueOf).filter((number) => number > 1))
  const used = [...new Set((answer.slice(0, CHARS_MAX).match(ANY) ?? []).map(valueOf))]
  return [...given].filter((number) => !used.some((one) => isConverted(number, one)))
}
