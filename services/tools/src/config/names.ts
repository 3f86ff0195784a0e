import { z } from 'zod'

/** Names, `*` for any part of one: `billing/*`. */
export const Names = z
  .union([z.string().min(1).max(200), z.array(z.string().min(1).max(200)).min(1).max(200)])
  .transform((names) => (typeof names === 'string' ? [names] : names))

/** Whether a name is meant by one of these. */
export const matchesName = (names: readonly string[], name: string): boolean => names.some((pattern) => matches(pattern, name))

const matches = (pattern: string, name: string): boolean => {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return pattern === name
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - at >= last.length && name.endsWith(last)
}
