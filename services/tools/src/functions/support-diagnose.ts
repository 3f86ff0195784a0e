import { z } from 'zod'
import { defineTool } from '../tool.ts'
import { KNOWN_ISSUES } from './known-issues.ts'

/** Words of a text, lower case, with the endings cut that English hangs on them; "can't" and "cannot" are "can not". */
const stems = (text: string): ReadonlySet<string> =>
  new Set(
    text
      .toLowerCase()
      .replaceAll(/can['’]?t\b|cannot\b/g, 'can not')
      .replaceAll(/n['’]t\b/g, ' not')
      .split(/[^a-z0-9]+/)
      .filter((word) => word.length > 1)
      .map((word) => word.replace(/(?:ing|ed|es|s|e)$/, '')),
  )

type Match = { readonly issue: (typeof KNOWN_ISSUES)[number]; readonly found: readonly string[]; readonly score: number }

/** Each sign is one or more words that all have to be there; long signs say more than short ones. */
const matchOf = (words: ReadonlySet<string>, issue: (typeof KNOWN_ISSUES)[number]): Match => {
  const found = issue.signs.filter((sign) => [...stems(sign)].every((stem) => words.has(stem)))
  return { issue, found, score: found.reduce((sum, sign) => sum + sign.split(' ').length, 0) }
}

/** The known issue that fits a description best; the first of the table among equals. */
export const diagnosisOf = (text: string): Match | undefined => {
  const words = stems(text)
  const matches = KNOWN_ISSUES.map((issue) => matchOf(words, issue)).filter(({ score }) => score > 0)
  return matches.reduce<Match | undefined>((best, match) => (best === undefined || match.score > best.score ? match : best), undefined)
}

/** Compares a description with the table of known issues. */
export const diagnose = defineTool({
  name: 'support/diagnose',
  about: 'Finds the known issue that a description fits, with its cause and what to do.',
  effect: 'read',
  input: z.strictObject({ text: z.string().max(20_000) }),
  output: z.object({
    found: z.boolean(),
    issue: z.string().nullable(),
    cause: z.string().nullable(),
    text: z.string(),
    signs: z.array(z.string()),
  }),
  timeoutMs: 2_000,
  run: ({ text }) => {
    const match = diagnosisOf(text)
    if (match === undefined) return { found: false, issue: null, cause: null, text: 'No known issue fits this description.', signs: [] }
    const { issue, found } = match
    return { found: true, issue: issue.id, cause: issue.cause, text: issue.advice, signs: [...found] }
  },
})
