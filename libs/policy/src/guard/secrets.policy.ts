// Secrets: keys by the form their makers gave them, passwords by the name before them, and what is too random to be anything else.
//   K1. Hashes of commits and files, UUIDs, paths and words are random or long too, and are not secrets by themselves.
import { guardOf, type Guard, type GuardSettings, type Span } from './guard.ts'
import { arranged, before } from './spans.policy.ts'
import { tokensIn } from './survey.policy.ts'

type Form = readonly [kind: string, pattern: RegExp, score: number, indicator: string]

/** An indicator is looked for first: most texts have none, and none costs nothing. */
const FORMS: readonly Form[] = [
  [
    'private_key',
    /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,8000}?(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    0.99,
    'PRIVATE KEY',
  ],
  ['aws_key', /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g, 0.97, 'AKIA|ASIA|ABIA|ACCA'],
  ['github_token', /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})(?!\w)/g, 0.99, 'ghp_|gho_|ghu_|ghs_|ghr_|github_pat_'],
  ['gitlab_token', /(?<!\w)gl(?:pat|ptt|dt|rt|cbt|soat)-[\w-]{20,64}/g, 0.98, 'glpat-|glptt-|gldt-|glrt-|glcbt-|glsoat-'],
  ['slack_token', /(?<!\w)xox[abeprs]-[A-Za-z0-9-]{10,250}/g, 0.98, 'xox'],
  ['slack_webhook', /https:\/\/hooks\.slack\.com\/(?:services|workflows)\/[\w/]{20,80}/g, 0.98, 'hooks.slack.com'],
  ['stripe_key', /(?<!\w)(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,247}/g, 0.98, '_live_|_test_'],
  ['google_key', /(?<!\w)AIza[\w-]{35}(?![\w-])/g, 0.98, 'AIza'],
  ['google_token', /(?<!\w)ya29\.[\w-]{20,400}/g, 0.97, 'ya29.'],
  ['model_key', /(?<![\w-])sk-(?:proj-|ant-[a-z0-9]+-|svcacct-|or-v1-)?[A-Za-z0-9_-]{20,250}(?![\w-])/g, 0.95, 'sk-'],
  ['huggingface_token', /(?<!\w)hf_[A-Za-z]{30,40}(?!\w)/g, 0.97, 'hf_'],
  ['package_token', /(?<!\w)(?:npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,250}|dckr_pat_[\w-]{20,40})(?!\w)/g, 0.98, 'npm_|pypi-|dckr_'],
  ['mail_key', /(?<!\w)(?:SG\.[\w-]{16,32}\.[\w-]{32,64}|key-[0-9a-f]{32})(?!\w)/g, 0.95, 'SG.|key-'],
  ['twilio_key', /(?<!\w)(?:SK|AC)[0-9a-f]{32}(?!\w)/g, 0.85, 'SK|AC'],
  ['azure_key', /(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{32,120}={0,2}/g, 0.98, 'Key='],
  ['jwt', /(?<![\w-])eyJ[\w-]{8,2000}\.eyJ[\w-]{8,6000}\.[\w-]{8,1000}(?![\w-])/g, 0.97, 'eyJ'],
  ['url_password', /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{0,100}:[^\s/@"'<>]{3,200}@[^\s"'<>]{1,200}/gi, 0.95, '://'],
  ['bearer', /(?<!\w)(?:bearer|basic) +[\w.~+/-]{20,2000}={0,2}(?![\w.~+/-])/gi, 0.85, 'earer|EARER|asic|ASIC'],
]

const ASSIGNED =
  /(?<![A-Za-z0-9])(?:password|passwd|pwd|passphrase|passwort|kennwort|contraseña|mot de passe|secret|api[_ -]?key|apikey|access[_ -]?key|auth[_ -]?token|access[_ -]?token|refresh[_ -]?token|client[_ -]?secret|private[_ -]?key|encryption[_ -]?key|token)(?:[_-][a-z0-9]{1,12}){0,2}["'`]?(?:\s{0,3}(?:[:=]|:=|=>)\s{0,3}|\s+(?:is|ist|lautet|es|est)[: ]\s{0,2})["'`]?([^\s"'`,;]{6,200})/gi
const PLACEHOLDER =
  /^(?:[<[({$%*#.x_-]|(?:your|my|the|some|a|an|not|null|none|nil|true|false|undefined|example|changeme|change_me|placeholder|redacted|process\.env|os\.environ|env\.|required|optional|string|incorrect|wrong|invalid|expired|missing|too|being|about|still|only|never|always)(?![a-z0-9]*\d))/i

/** Passwords need a digit or a sign in them, or to be quoted, else sentences about passwords are full of them. */
const findAssigned = (text: string): Span[] =>
  [...text.matchAll(ASSIGNED)].flatMap(({ 0: match, 1: value = '', index }) => {
    const bare = value.replace(/[.?)\]}]+$/, '')
    if (bare.length < 6 || PLACEHOLDER.test(bare) || !/[\d!$%&*#@^+/_=-]/.test(bare) || /^\w+\(/.test(bare)) return []
    const start = index + match.length - value.length
    return [{ start, end: start + bare.length, kind: 'credential', score: 0.85, reason: 'a value after the name of a secret' }]
  })

/** Shannon entropy of a text in bits a character. */
const entropyOf = (text: string): number => {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0)
}

/** How long a token is that may be too random to be anything else. */
const TOKEN_CHARS = { min: 24, max: 200 } as const
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const HARMLESS_LABEL = /(?:sha-?\d*|md5|commit|digest|checksum|etag|hash|integrity|base64,|data:[^\s]{0,80}|nonce|id)["'\s:=-]*$/i
const SECRET_LABEL = /(?:key|secret|token|passw|credential|auth)\w{0,12}["'\s:=-]{0,6}$/

/** How often a token changes between capitals, small letters and digits, a character: words and paths hardly do. */
const changesOf = (token: string): number => {
  const classOf = (code: number): number => (code <= 57 ? 0 : code <= 90 ? 1 : 2)
  let changes = 0
  for (let at = 1; at < token.length; at++) if (classOf(token.charCodeAt(at)) !== classOf(token.charCodeAt(at - 1))) changes++
  return changes / token.length
}

const looksRandom = (token: string): boolean =>
  /\d/.test(token) &&
  /[a-z]/.test(token) &&
  /[A-Z]/.test(token) &&
  entropyOf(token) > 3.9 &&
  changesOf(token) > 0.28 &&
  !/[/_-]{2}/.test(token)

const findRandom = (text: string): Span[] =>
  tokensIn(text, TOKEN_CHARS.min, TOKEN_CHARS.max).flatMap(({ token, index }) => {
    const label = before(text, index, 80)
    const named = SECRET_LABEL.test(label)
    if (UUID.test(token) || HARMLESS_LABEL.test(label)) return [] // K1
    const random = looksRandom(token) || (named && entropyOf(token) > 3 && /\d/.test(token))
    if (!random) return []
    const score = named ? 0.85 : 0.65
    return [{ start: index, end: index + token.length, kind: 'high_entropy', score, reason: 'too random for a word, a path or a name' }]
  })

/** Every kind of secret that is looked for. */
export const SECRET_KINDS: readonly string[] = [...FORMS.map(([kind]) => kind), 'credential', 'high_entropy']

export type SecretSettings = GuardSettings & { readonly kinds?: readonly string[] | undefined; readonly min?: number | undefined }

const formSpans = (text: string, [kind, pattern, score, indicator]: Form): Span[] => {
  if (!indicator.split('|').some((part) => text.includes(part))) return []
  return [...text.matchAll(pattern)].map(({ 0: match, index }) => ({
    start: index,
    end: index + match.length,
    kind,
    score,
    reason: `written like a ${kind.replaceAll('_', ' ')}`,
  }))
}

/** The guard `secrets`. */
export const secretsGuard = (settings: SecretSettings = {}): Guard =>
  guardOf('secrets', settings, (text, deadline) => {
    const { kinds = SECRET_KINDS, min = 0.5 } = settings
    const wanted = new Set(kinds)
    const found = FORMS.flatMap((form) => {
      deadline()
      return wanted.has(form[0]) ? formSpans(text, form) : []
    })
    const assigned = wanted.has('credential') ? findAssigned(text) : []
    const random = wanted.has('high_entropy') ? findRandom(text) : []
    // A token that has a form, or stands behind the name of a secret, is told once.
    const known = [...found, ...assigned]
    const rest = random.filter(({ start, end }) => !known.some((span) => start < span.end && span.start < end))
    const spans = arranged(
      text,
      [...known, ...rest].filter(({ score }) => score >= min),
    )
    return { spans, risk: Math.max(0, ...spans.map(({ score }) => score)) }
  })
