// Answers by quoting the passages that were retrieved. Needs no provider, and never says what is not written there.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { FREE, type Model } from '../model.ts'
import { textOf } from './input-text.ts'
import { type Passage, quote } from './quoting.policy.ts'

export type ExtractiveOptions = {
  readonly quotesMax: number
  /** Below this coverage of the question the passages count as not relevant: score 0, no quotes. */
  readonly scoreMin: number
}

const field = (item: JsonObject, names: readonly string[]): string | undefined => {
  const found = names.map((name) => item[name]).find((value) => typeof value === 'string')
  return typeof found === 'string' ? found : undefined
}

/** Passages in the step's `docs`: a list, or an object with `items`. */
const passagesOf = (input: Json): readonly Passage[] => {
  const docs = isJsonObject(input) ? input['docs'] : undefined
  const items: Json = isJsonObject(docs) ? (docs['items'] ?? []) : (docs ?? [])
  if (!Array.isArray(items)) return []
  return items.filter(isJsonObject).flatMap((item) => {
    const text = field(item, ['text', 'content', 'passage'])
    const id = field(item, ['id', 'docId'])
    return text === undefined
      ? []
      : [{ text, title: field(item, ['title', 'name']) ?? id ?? 'untitled', ...(id === undefined ? {} : { id }) }]
  })
}

/** What an earlier step looked up for this very case: `facts` with `found: true` and a text. */
const factOf = (input: Json): string | undefined => {
  const facts = isJsonObject(input) ? input['facts'] : undefined
  return isJsonObject(facts) && facts['found'] === true ? field(facts, ['text']) : undefined
}

const NOTHING = { text: 'None of the retrieved documents speaks of this.', score: 0, sources: [] }

/**
 * A model that answers `{ text, score, sources }`: what was looked up, then quotes. `score` is how much of the question the quotes
 * cover, at least `scoreMin` where something was looked up; it is not a confidence. 0: nothing speaks of the question.
 */
export const extractiveModel = (name: string, options: ExtractiveOptions): Model => ({
  name,
  provider: 'extractive',
  local: true,
  invoke: ({ input, prompt }) => {
    const passages = passagesOf(input)
    const fact = factOf(input)
    const found = quote(textOf(input, prompt), passages, options.quotesMax)
    const quotes = found.score < options.scoreMin ? [] : found.quotes
    if (quotes.length === 0 && fact === undefined) return Promise.resolve({ value: NOTHING, usage: FREE })
    const lines = quotes.map(({ text: words, passage }) => `“${words}” (${passages[passage]?.title ?? ''})`)
    const value = {
      text: [...(fact === undefined ? [] : [fact]), ...lines].join('\n'),
      score: quotes.length === 0 ? options.scoreMin : found.score,
      sources: [...new Set(quotes.map(({ passage }) => passages[passage]?.title ?? ''))],
    }
    return Promise.resolve({ value, usage: FREE })
  },
})
