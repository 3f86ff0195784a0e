// Questions that the policy documents of a bank are about (intents of banking and credit cards) and others (all other domains), of clinc150,
// with what a search finds for them. Half of the intents of each side fit the score, the other half checks it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Questions a side and half; `about`: whether the documents are about it. */
export const questionsOf = (shared, perIntent) => {
  const folder = join(shared, 'data', 'clinc150')
  const domains = JSON.parse(readFileSync(join(folder, 'domains.json'), 'utf8'))
  const { train } = JSON.parse(readFileSync(join(folder, 'train_val.json'), 'utf8'))
  const about = new Set([...domains.banking, ...domains.credit_cards])
  const others = Object.entries(domains)
    .filter(([name]) => name !== 'banking' && name !== 'credit_cards')
    .flatMap(([, intents]) => intents)
    .toSorted()
    // As many intents a side.
    .filter((_, at) => at % 4 === 0)
  const taken = new Map()
  return train.flatMap(([text, intent]) => {
    const side = about.has(intent) ? [...about].toSorted().indexOf(intent) : others.indexOf(intent)
    if (side === -1 || (taken.get(intent) ?? 0) >= perIntent) return []
    taken.set(intent, (taken.get(intent) ?? 0) + 1)
    return [{ text, about: about.has(intent), half: side % 2 === 0 ? 'fit' : 'check' }]
  })
}

/** Area under the curve: how often the first kind has the higher score. */
export const areaOf = (high, low) => {
  let wins = 0
  for (const left of high) for (const right of low) wins += left > right ? 1 : left === right ? 0.5 : 0
  return wins / (high.length * low.length)
}

/** Expected calibration error over ten bins of equal width. */
export const calibrationErrorOf = (rows) => {
  const bins = Array.from({ length: 10 }, () => ({ score: 0, about: 0 }))
  for (const { score, about } of rows) {
    const bin = bins[Math.min(9, Math.floor(score * 10))]
    bin.score += score
    bin.about += about ? 1 : 0
  }
  return bins.reduce((sum, { score, about }) => sum + Math.abs(score - about), 0) / rows.length
}
