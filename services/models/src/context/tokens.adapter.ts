// Counting by gpt-tokenizer. Its tables take half a second to load: that happens at the first text near a limit.
import { remembering, type CountTokens, type Encoding } from './tokens.policy.ts'

const loaded = new Map<Encoding, Promise<CountTokens>>()

const load = async (encoding: Encoding): Promise<CountTokens> => {
  const { countTokens } = await (encoding === 'o200k'
    ? import('gpt-tokenizer/encoding/o200k_base')
    : import('gpt-tokenizer/encoding/cl100k_base'))
  // Words that end a text for a model are only words in what we show it.
  return remembering((text) => countTokens(text, { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }))
}

/** The counter of a family of models. */
export const tokenCounter = (encoding: Encoding): Promise<CountTokens> => {
  const known = loaded.get(encoding)
  if (known !== undefined) return known
  const loading = load(encoding)
  loaded.set(encoding, loading)
  return loading
}
