// Which language a text is written in: by its letters where they tell, else by its smallest words.
//   L1. Too little text is no language; what then is for the settings to say.
import { lettersIn, placesOfLetters } from '../text-words.policy.ts'
import { guardOf, type Guard, type GuardSettings } from './guard.ts'

const SCRIPTS: readonly (readonly [language: string, letters: RegExp])[] = [
  ['ja', /[\u3040-\u30ff]/g],
  ['ko', /[\uac00-\ud7af\u1100-\u11ff]/g],
  ['zh', /[\u4e00-\u9fff\u3400-\u4dbf]/g],
  ['uk', /[іїєґІЇЄҐ]/g],
  ['ru', /[\u0400-\u04ff]/g],
  ['el', /[\u0370-\u03ff]/g],
  ['he', /[\u0590-\u05ff]/g],
  ['ar', /[\u0600-\u06ff]/g],
  ['hi', /[\u0900-\u097f]/g],
  ['th', /[\u0e00-\u0e7f]/g],
]

/** The smallest words of a language, and what only it writes. */
const WORDS: Readonly<Record<string, string>> = {
  en: 'the and of to is in that it you for with this was are on have not be my can what how from your we do would please will has an at or they his her which but if about there when',
  de: 'der die das und ist nicht ich ein eine zu den mit sie auf für von im dem es wir sich auch an als haben kann wie mein meine bei oder aber noch nach wird wurde bitte sind ihr einen einem zum zur über hat was',
  fr: 'le la les et est des une un du de pas je vous que pour dans qui sur avec ce il ne au mon nous elle plus sont cette mais ou être votre comment aux par été ai ça ma mes',
  es: 'el la los las y es de que en un una por con para no se del al lo como mi su más pero está cómo muy sobre este esta qué ha sin tengo puedo hay me son fue',
  it: 'il lo la gli le e è di che un una per non con del della mi sono come ho più al alla nel questo anche ma si dei delle ha cosa posso mio mia i da era se',
  pt: 'o a os as e é de que um uma para não com do da em no na por mais meu minha como você se ao foi mas está são dos das eu tem ou muito isso pelo pela',
  nl: 'de het een en is van niet ik op te dat in voor met zijn die aan er je mijn maar om ook als kan naar wat hoe heb bij nog uit wordt deze dit heeft geen',
  sv: 'och att det är en som på jag inte för med av den ett har till om kan min men var hur från så vi du ska eller där när',
  da: 'og at det er en som på jeg ikke for med af den et har til om kan min men var hvordan fra så vi du skal eller hvor når der',
  pl: 'i w nie na się jest z do to że jak mi po co za moje mój czy od dla ale tak są o ma przez proszę mogę już był być',
  tr: 've bir bu için ne ile var çok ben mi değil daha gibi ama nasıl sonra benim kadar olarak en da de olan',
  ro: 'și de la nu este în o un pe cu care să mai din că pentru ce am cum mea sunt dar fi',
  cs: 'a je se na v že to s z do jak ale jsem není pro za mi by co už jsou jako při byl můj',
}
const WEIGHTS = ((): ReadonlyMap<string, readonly (readonly [language: string, weight: number])[]> => {
  const words = new Map<string, string[]>()
  for (const [language, list] of Object.entries(WORDS))
    for (const word of list.split(' ')) words.set(word, [...(words.get(word) ?? []), language])
  return new Map([...words].map(([word, languages]) => [word, languages.map((language) => [language, 1 / languages.length] as const)]))
})()

const WORD_CHARS_MAX = Math.max(...[...WEIGHTS.keys()].map((word) => word.length))

/** Characters read: a language does not change its smallest words. */
const READ_CHARS = 4_000
const LETTERS_MIN = 12
const SCRIPT_SHARE = 0.3

export type LanguageGuess = { readonly language: string; readonly confidence: number }

/** Where every script of the list lies: most texts have none of it, and are not counted ten times. */
const ANY_SCRIPT = /[\u0370-\u1fff\u3040-\ud7af]/

const byScript = (text: string, letters: number): LanguageGuess | undefined => {
  if (!ANY_SCRIPT.test(text)) return undefined
  for (const [language, pattern] of SCRIPTS) {
    const share = (text.match(pattern)?.length ?? 0) / letters
    if (share >= (language === 'uk' ? 0.03 : language === 'ja' ? 0.1 : SCRIPT_SHARE))
      return { language, confidence: Math.min(1, 0.7 + share * 0.3) }
  }
  return undefined
}

const byWords = (text: string): LanguageGuess | undefined => {
  const votes = new Map<string, number>()
  const small = text.toLowerCase()
  const { at, length } = placesOfLetters(small)
  for (let word = 0; word < length; word += 2) {
    const [start = 0, end = 0] = [at[word], at[word + 1]]
    if (end - start > WORD_CHARS_MAX) continue
    for (const [language, weight] of WEIGHTS.get(small.slice(start, end)) ?? []) votes.set(language, (votes.get(language) ?? 0) + weight)
  }
  const [first, second = ['', 0] as const] = [...votes].toSorted((left, right) => right[1] - left[1])
  return first === undefined || first[1] < 1 ? undefined : { language: first[0], confidence: first[1] / (first[1] + second[1] + 0.5) }
}

/** The language of a text; undefined where there is too little of it to say (L1). */
export const languageOf = (text: string): LanguageGuess | undefined => {
  const read = text.slice(0, READ_CHARS)
  const letters = lettersIn(read)
  if (letters === 0) return undefined
  return byScript(read, letters) ?? (letters < LETTERS_MIN ? undefined : byWords(read))
}

/** The languages that can be told. */
export const LANGUAGES: readonly string[] = [...new Set([...SCRIPTS.map(([language]) => language), ...Object.keys(WORDS)])]

export type LanguageSettings = GuardSettings & {
  readonly allow: readonly string[]
  /** A guess below this is none. */
  readonly min?: number | undefined
  /** What a text is whose language cannot be told. */
  readonly unknown?: 'allow' | 'refuse' | undefined
}

/** The guard `language`. */
export const languageGuard = (settings: LanguageSettings): Guard => ({
  ...guardOf('language', settings, (text) => {
    const { allow, min = 0.55, unknown = 'allow' } = settings
    const guess = languageOf(text)
    const told = guess !== undefined && guess.confidence >= min
    if (told ? allow.includes(guess.language) : unknown === 'allow') return { spans: [], risk: 0 }
    const score = told ? guess.confidence : 0.5
    const reason = told ? `the text is written in ${guess.language}` : 'the language of the text cannot be told'
    return {
      spans: [{ start: 0, end: text.length, kind: told ? `language_${guess.language}` : 'language_unknown', score, reason }],
      risk: score,
    }
  }),
  whole: true,
})
