// The sentences of a text that say most, in their order: a summary that invents nothing.
//   S1. Every sentence of it stands in the text as it is.
//   S2. A sentence counts by how much of what the text speaks of is in it (words that come again, weighed against their number), the first
//       and the last ones a little more.

const STOP: ReadonlySet<string> = new Set(
  'about after again also and any are because been before being both but can could did does for from had has have her here him his how into its just more most not now off only other our out over own said same she should some such than that the their them then there these they this those through too under until very was were what when where which while who why will with would you your'.split(
    ' ',
  ),
)

const wordsOf = (sentence: string): readonly string[] =>
  (sentence.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []).filter((word) => !STOP.has(word))

/** The sentences, best `tokens` of them. `count` gives the tokens of one. */
export const summaryOf = (text: string, tokens: number, count: (sentence: string) => number): string => {
  const sentences = text
    .split(/\n+|(?<=[.!?])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
  const weight = new Map<string, number>()
  const bags = sentences.map(wordsOf)
  for (const bag of bags) for (const word of new Set(bag)) weight.set(word, (weight.get(word) ?? 0) + 1)
  const points = bags.map((bag, at) => {
    const said = [...new Set(bag)].reduce((sum, word) => sum + Math.log1p((weight.get(word) ?? 1) - 1) + 0.3, 0)
    const edge = at === 0 || at >= sentences.length - 2 ? 1.3 : 1
    return (said / Math.sqrt(bag.length + 4)) * edge // S2
  })
  const order = points.map((_, at) => at).toSorted((left, right) => (points[right] ?? 0) - (points[left] ?? 0) || left - right)
  const kept = new Set<number>()
  let used = 0
  for (const at of order) {
    const cost = count(sentences[at] ?? '') + 1
    if (used + cost > tokens) continue
    used += cost
    kept.add(at)
  }
  return sentences.filter((_, at) => kept.has(at)).join('\n') // S1
}
