// Secrets that were written into a file. Files of flows are published, packed and shown to people: a secret in one is out.
//   K1. A message says what was found and where, never the secret itself.
//   K2. The time is linear in the text: every pattern begins at the start of a word, and what follows is bounded; of a file that is
//       too large to be read as a flow only the beginning is looked at.
//   K3. What only stands for a secret (`xxxx`, a name, an expression) is none: there must be chance in it.
import type { Report } from '../diagnostic.ts'
import { createSource } from '../source/source.ts'

type Pattern = {
  readonly what: string
  readonly find: RegExp
  /** Bits of chance a character must hold (K3); keys of a fixed form need none. */
  readonly chance: number
}

const START = '(?<![A-Za-z0-9_-])'
const pattern = (what: string, source: string, chance = 3): Pattern => ({ what, find: new RegExp(START + source, 'g'), chance })

const PATTERNS: readonly Pattern[] = [
  pattern('an Anthropic key', 'sk-ant-([A-Za-z0-9_-]{20,200})'),
  pattern('an OpenAI key', 'sk-(?!ant-)((?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,200})'),
  pattern('an AWS access key', '(?:AKIA|ASIA)([A-Z0-9]{16})(?![A-Za-z0-9])', 2),
  pattern('a GitHub token', '(?:gh[pousr]_|github_pat_)([A-Za-z0-9_]{22,255})'),
  pattern('a GitLab token', 'glpat-([A-Za-z0-9_-]{20,64})'),
  pattern('a Slack token', 'xox[abeprs]-([A-Za-z0-9-]{10,250})', 2.5),
  pattern('a Slack webhook', 'hooks\\.slack\\.com/services/(T[A-Z0-9]{5,20}/B[A-Z0-9]{5,20}/[A-Za-z0-9]{10,64})', 2.5),
  pattern('a Google key', 'AIza([A-Za-z0-9_-]{35})'),
  pattern('a Stripe key', '(?:sk|rk)_live_([A-Za-z0-9]{16,128})'),
  pattern('an npm token', 'npm_([A-Za-z0-9]{36})'),
  pattern('a Hugging Face token', 'hf_([A-Za-z0-9]{30,64})'),
  pattern('a JSON Web Token', 'eyJ([A-Za-z0-9_-]{10,600})\\.eyJ[A-Za-z0-9_-]{10,4000}\\.[A-Za-z0-9_-]{10,1000}'),
  pattern('a bearer token', '[Bb]earer[ \\t]{1,4}([A-Za-z0-9._~+/=-]{20,2000})', 3.3),
  pattern('a password in a URL', '[a-z][a-z0-9+.]{1,20}://[^\\s:/@"\'{}<>]{0,100}:([^\\s@/"\'{}<>$]{3,100})@', 1.5),
  { what: 'a private key', find: /-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----/g, chance: 0 },
]

/** A key that names a secret, and its value; the value is looked at in `isSecretValue`. */
const NAMED =
  /(?<![A-Za-z0-9_-])["']?((?:[A-Za-z0-9]{1,20}[_-]){0,3}[A-Za-z0-9]{0,20}?(?:api[_-]?key|password|passwd|secret|token|access[_-]?key|private[_-]?key|credentials?))["']?[ \t]{0,8}[:=][ \t]{0,8}(?:"([^"\n]{1,400})"|'([^'\n]{1,400})'|([^\s,}\]"']{1,400}))/gi

/** Characters of a file that are looked at. */
const MAX_CHARS = 1_000_000

const FIX = 'take it out and revoke it where it was issued; a tool or model reads its secret from the environment of its service'

/** Reports secrets in the files of a flow: known forms of keys and tokens, and random text under a key like `password`. */
export const checkSecrets = (files: ReadonlyMap<string, string>, report: Report): void => {
  for (const [file, text] of files) {
    const found = findSecrets(text.slice(0, MAX_CHARS)) // K2
    if (found.length === 0) continue
    const source = createSource(file, text)
    for (const { what, start, end } of found) {
      report.add({ source, start, end }, 'secret.found', `this looks like ${what}; a flow is no place for a secret`, FIX) // K1
    }
  }
}

const SHARED = ['prompts/', 'schemas/', 'agents/']

/** The files a flow is made of: its own, and those its names may lead to. */
export const filesOf = (files: ReadonlyMap<string, string>, entry: string): ReadonlyMap<string, string> => {
  const folder = entry.slice(0, entry.lastIndexOf('/') + 1)
  const prefixes = SHARED.flatMap((name) => (folder === '' ? [name] : [folder + name, name]))
  return new Map([...files].filter(([file]) => file === entry || prefixes.some((prefix) => file.startsWith(prefix))))
}

type Found = { readonly what: string; readonly start: number; readonly end: number }

const findSecrets = (text: string): readonly Found[] => {
  const found: Found[] = []
  const add = (secret: Found): void => {
    if (!found.some(({ start, end }) => secret.start < end && start < secret.end)) found.push(secret)
  }
  for (const { what, find, chance } of PATTERNS) {
    for (const match of text.matchAll(find)) {
      if (chance > 0 && chanceOf(match[1] ?? '') < chance) continue // K3
      add({ what, start: match.index, end: match.index + match[0].length })
    }
  }
  for (const match of text.matchAll(NAMED)) {
    const value = match[2] ?? match[3] ?? match[4] ?? ''
    if (!isSecretValue(value)) continue
    const start = match.index + match[0].lastIndexOf(value)
    add({ what: `a secret under "${match[1] ?? ''}"`, start, end: start + value.length })
  }
  return found
}

/** Letters and digits mixed as by chance; neither an expression, a slot, a reference, a path nor words (K3). */
const isSecretValue = (value: string): boolean => {
  if (value.length < 12 || /^[=$<]|\{\{|\s|^(?:input|params|env|process)\.|^[a-z]+:\/\//.test(value)) return false
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length
  const isWords = /^[A-Za-z]{1,40}(?:[._/@:-][A-Za-z0-9]{1,40}){0,20}$/.test(value) && !/\d[a-zA-Z]\d|[a-z]\d[a-z]/i.test(value)
  return classes >= 2 && /\d/.test(value) && !isWords && chanceOf(value) >= 3
}

/** Bits of information in a character, by how often each stands in the text (Shannon). */
const chanceOf = (text: string): number => {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
