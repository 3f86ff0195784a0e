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
    return text === undefined ? [] : [{ text, title: field(item, ['title', 'name']) ?? id ?? 'untitled', ...(id === undefined ? {} : { id }) }]
  })
}

/** A model that answers `{ text, score, sources }`. `score` is how much of the question the quotes cover; it is not a confidence. */
export const extractiveModel = (name: string, options: ExtractiveOptions): Model => ({
  name,
  provider: 'extractive',
  local: true,
  invoke: ({ input, prompt }) => {
    const passages = passagesOf(input)
    const { quotes, score } = quote(textOf(input, prompt), passages, options.quotesMax)
    if (quotes.length === 0 || score < options.scoreMin) {
      const value = { text: 'None of the retrieved documents speaks of this.', score: 0, sources: [] }
      return Promise.resolve({ value, usage: FREE })
    }
    const text = quotes.map(({ text: words, passage }) => `“${words}” (${passages[passage]?.title ?? ''})`).join('\n')
    const sources = [...new Set(quotes.map(({ passage }) => passages[passage]?.title ?? ''))]
    return Promise.resolve({ value: { text, score, sources }, usage: FREE })
  },
})
