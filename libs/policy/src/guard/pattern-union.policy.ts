// Many reviewed patterns looked for in one pass, with the finds of each as if it had been looked for alone.
//   U1. What a pattern finds is what `matchAll` of it finds: its leftmost matches, none inside another of its own.

/** A pattern without flags, or with `g` alone, whose matches are never empty and that refers to no group. */
type Pattern = { readonly source: string }

/** The alternatives of a pattern outside every group and class. */
const alternativesOf = (source: string): readonly string[] => {
  const parts: string[] = []
  let depth = 0
  let inClass = false
  let from = 0
  for (let at = 0; at < source.length; at++) {
    const sign = source.charAt(at)
    if (sign === '\\') at++
    else if (inClass) inClass = sign !== ']'
    else if (sign === '[') inClass = true
    else if (sign === '(') depth++
    else if (sign === ')') depth--
    else if (sign === '|' && depth === 0) {
      parts.push(source.slice(from, at))
      from = at + 1
    }
  }
  return [...parts, source.slice(from)]
}

const WORD_START = String.raw`\b`
const START_OF_LETTERS = String.raw`\b(?=[a-z])`

/** Whether an alternative begins with a small letter at the start of a word, whatever group that letter stands in. */
const beginsWord = (alternative: string): boolean => {
  if (!alternative.startsWith(WORD_START)) return false
  const head = alternative.slice(WORD_START.length)
  if (!head.startsWith('(?:')) return /^[a-z](?![?*{])/.test(head)
  const group = alternativesOf(head.slice('(?:'.length, closeOf(head)))
  return /^(?![?*{])/.test(head.slice(closeOf(head) + 1)) && group.every((part) => beginsWord(WORD_START + part))
}

/** Where the group ends that a pattern begins with. */
const closeOf = (source: string): number => {
  let depth = 0
  let inClass = false
  for (let at = 0; at < source.length; at++) {
    const sign = source.charAt(at)
    if (sign === '\\') at++
    else if (inClass) inClass = sign !== ']'
    else if (sign === '[') inClass = true
    else if (sign === '(') depth++
    else if (sign === ')' && --depth === 0) return at
  }
  return source.length
}

/** One pattern that matches where any does: the start of a word is asked for once, not by each. */
const unionOf = (patterns: readonly Pattern[]): RegExp => {
  const all = patterns.flatMap(({ source }) => alternativesOf(source))
  const words = all.filter(beginsWord).map((alternative) => alternative.slice(WORD_START.length))
  const others = all.filter((alternative) => !beginsWord(alternative))
  return new RegExp([...(words.length === 0 ? [] : [`${START_OF_LETTERS}(?:${words.join('|')})`]), ...others].join('|'), 'g')
}

export type Found<P> = { readonly of: P; readonly match: string; readonly index: number }

/** A search for all the patterns at once (U1); what it finds is in order of the patterns. */
export const searchOf = <P extends { readonly pattern: Pattern }>(
  wanted: readonly P[],
): ((text: string, onFind?: () => void) => readonly Found<P>[]) => {
  const any = unionOf(wanted.map(({ pattern }) => pattern))
  const each = wanted.map((of) => ({ of, sticky: new RegExp(of.pattern.source, 'y') }))
  return (text, onFind = () => {}) => {
    const found = each.map((): Found<P>[] => [])
    const ends = each.map(() => 0)
    any.lastIndex = 0
    for (let hit = any.exec(text); hit !== null; hit = any.exec(text)) {
      onFind()
      const { index } = hit
      each.forEach(({ of, sticky }, at) => {
        if (index < (ends[at] ?? 0)) return
        sticky.lastIndex = index
        const match = sticky.exec(text)?.[0]
        if (match === undefined) return
        found[at]?.push({ of, match, index })
        ends[at] = index + match.length
      })
      any.lastIndex = index + 1
    }
    return found.flat()
  }
}
