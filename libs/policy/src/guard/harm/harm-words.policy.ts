// Words and phrases that are harmful whoever says them. Short on purpose: what depends on the sentence is the classifier's.
//   H1. Words that also name people, plants or places, or with which people ask for help, are not on the list.
import type { Span } from '../guard.ts'
import { searchOf } from '../pattern-union.policy.ts'

/** Category, weight, phrases; a `*` at the end takes any ending. */
const LISTS: readonly (readonly [category: string, weight: number, phrases: string])[] = [
  [
    'hate',
    0.85,
    'nigger*, kike*, faggot*, tranny, trannies, wetback*, raghead*, sandnigger*, kaffir*, untermensch*, subhuman race, gas the jews, white power, heil hitler, go back to your country',
  ],
  [
    'harassment',
    0.7,
    'fuck you, go fuck yourself, you piece of shit, you are worthless, stupid bitch, motherfucker*, cunt*, retards, retarded idiot, nobody would miss you, you fucking idiot, shut the fuck up',
  ],
  [
    'hate_threatening',
    0.85,
    'kill all jews, kill all muslims, kill all blacks, kill all whites, kill all gays, hang them all, exterminate them',
  ],
  [
    'violence',
    0.75,
    'kill yourself, i will kill you, i am going to kill you, im gonna kill you, you should die, i know where you live, how to make a bomb, build a pipe bomb, shoot up the school, behead them, burn them alive',
  ],
  [
    'self_harm',
    0.75,
    'want to kill myself, want to die tonight, going to end my life, going to kill myself, cut myself, cutting myself, slit my wrists, ways to commit suicide, how to kill myself',
  ],
  [
    'sexual',
    0.7,
    'blowjob*, cumshot*, deepthroat*, gangbang*, handjob*, creampie*, pussy, dildo*, hardcore porn, fucked her, fucked him, her nipples, his erection, naked pics, send nudes',
  ],
  [
    'sexual_minors',
    0.95,
    'child porn*, kiddie porn, underage sex, preteen sex, lolicon, shotacon, jailbait, sex with a minor, sexy child*',
  ],
  ['violence_graphic', 0.75, 'disembowel*, dismember*, decapitat*, guts spilled, blood gushing, blood sprayed, ripped out his'],
]

const escaped = (word: string): string => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const patternOf = (phrases: string): RegExp => {
  const parts = phrases.split(', ').map((phrase) => (phrase.endsWith('*') ? `${escaped(phrase.slice(0, -1))}\\w{0,6}` : escaped(phrase)))
  return new RegExp(`\\b(?:${parts.join('|').replaceAll(' ', '\\s{1,4}')})\\b`, 'g')
}
const searchWords = searchOf(LISTS.map(([category, weight, phrases]) => ({ category, weight, pattern: patternOf(phrases) })))

/** Listed words in a text that is in small letters already. */
export const findHarmWords = (text: string): Span[] =>
  searchWords(text).map(({ of: { category, weight }, match, index }) => ({
    start: index,
    end: index + match.length,
    kind: category,
    score: weight,
    reason: `a word of the list for ${category.replaceAll('_', ' ')}`,
  }))
