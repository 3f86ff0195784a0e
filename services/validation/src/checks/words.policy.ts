// Words of English text, made comparable.

const STOP_WORDS = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by can could did do does doing
  done down during each else ever every few for from further get gets getting go goes going got had has have having he her here hers him his how i if in
  into is it its just let like make me might more most much must my need no nor not now of off on once one only or other our ours out over own please
  put quite rather really same say see she should so some still such take tell than thank thanks that the their them then there these they thing this
  those through to too under until up us use very want was way we well were what when where which while who whom why will with without won would
  yes yet you your yours`
    .split(/\s+/)
    .map((word) => word.trim()),
)

/** Endings that English hangs on a word, longest first; what remains keeps three letters at least. */
const ENDINGS = ['ations', 'ation', 'ingly', 'edly', 'ings', 'ing', 'ies', 'ed', 'es', 'ly', 's', 'e', 'y'] as const

const stemOf = (word: string): string => {
  const ending = ENDINGS.find((candidate) => word.endsWith(candidate) && word.length - candidate.length >= 3)
  return ending === undefined ? word : word.slice(0, word.length - ending.length)
}

/** The words of a text that carry meaning, as stems, in order. */
export const stemsOf = (text: string): readonly string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/['’](?:s|t|re|ve|ll|d|m)\b/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 1 && !STOP_WORDS.has(word))
    .map(stemOf)

/** The same, each once. */
export const contentStems = (text: string): ReadonlySet<string> => new Set(stemsOf(text))
