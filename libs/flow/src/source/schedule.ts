// Schedules: the five fields of cron, and time zones by name.

type Field = { readonly name: string; readonly min: number; readonly max: number; readonly words: readonly string[] }

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of the month', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { name: 'day of the week', min: 0, max: 7, words: 'sun mon tue wed thu fri sat'.split(' ') },
]

/** What is wrong with a schedule of five fields, in words that go on after it; undefined when nothing is. */
export const cronProblem = (text: string): string | undefined => {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== FIELDS.length)
    return `has ${parts.length} fields, not the five of minute, hour, day of the month, month and day of the week`
  const wrong = FIELDS.findIndex((field, index) => !isField(parts[index] ?? '', field))
  const field = FIELDS[wrong]
  if (field !== undefined) return `has no ${field.name} "${parts[wrong] ?? ''}"; it goes from ${field.min} to ${field.max}`
  return happens(parts) ? undefined : 'names a day that no month has'
}

const isField = (text: string, field: Field): boolean =>
  text.split(',').every((part) => {
    const [range = '', step, more] = part.split('/')
    if (more !== undefined || (step !== undefined && !/^[1-9]\d{0,2}$/.test(step))) return false
    if (range === '*') return true
    const [from, to, further] = range.split('-').map((bound) => valueOf(bound, field))
    if (range.split('-').length > 2 || from === undefined || further !== undefined) return false
    return !range.includes('-') || (to !== undefined && from <= to)
  })

const valueOf = (text: string, { min, max, words }: Field): number | undefined => {
  const word = words.indexOf(text.toLowerCase())
  if (word !== -1) return word + min
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : undefined
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A day like the 31st of February never comes. Days of the week come in every month. */
const happens = ([, , day = '*', month = '*', weekday = '*']: readonly string[]): boolean => {
  if (!/^\d+$/.test(day) || !/^\d+$/.test(month) || weekday !== '*') return true
  return Number(day) <= (DAYS[Number(month) - 1] ?? 31)
}

/** Whether there is a time zone of this name. */
export const isZone = (name: string): boolean => {
  try {
    // An offset like +02:00 is accepted too; a name knows about summer time.
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
