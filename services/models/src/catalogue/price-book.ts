// What models cost: what the catalogue says, else the list of published prices that came with this version (B13).
//   P1. What the operator wrote wins: the model's own price, then `prices`, then the book.
//   P2. A price counts from its day on; before the first day of a list the first counts.
//   P3. The book is asked only for servers that it knows: a model of one's own server is not taken for a provider's of the same name.
import type { TokenPrice } from '@baton/policy/routing'
import type { PriceEntry } from './models-file.ts'

export type Pricing = {
  readonly source: 'catalogue' | 'book' | 'free' | 'unknown'
  /** Undefined: not known. */
  readonly at: (nowMs: number) => TokenPrice | undefined
}

const FREE: TokenPrice = { input: 0, output: 0 }
const UNKNOWN: Pricing = { source: 'unknown', at: () => undefined }

const plain = ({ input, output, cachedInput }: { input: number; output: number; cachedInput?: number | undefined }): TokenPrice => ({
  input,
  output,
  ...(cachedInput === undefined ? {} : { cachedInput }),
})

/** Prices as the catalogue writes them. */
export const writtenPricing = (entry: PriceEntry): Pricing => {
  if (entry === 'free') return { source: 'free', at: () => FREE }
  if (!Array.isArray(entry)) {
    const price = plain(entry)
    return { source: 'catalogue', at: () => price }
  }
  const dated = entry
    .map((item) => ({ fromMs: Date.parse(item.from), price: plain(item) }))
    .toSorted((left, right) => left.fromMs - right.fromMs)
  return { source: 'catalogue', at: (nowMs) => (dated.findLast(({ fromMs }) => fromMs <= nowMs) ?? dated[0])?.price } // P2
}

type Genai = typeof import('@pydantic/genai-prices')
type Listed = NonNullable<ReturnType<Genai['calcPrice']>>['model_price'][string]

const baseOf = (listed: Listed): number | undefined => (typeof listed === 'object' ? listed.base : listed)
const fromTokens = (listed: Listed, tokens: number): number | undefined =>
  typeof listed === 'object' ? (listed.tiers.findLast(({ start }) => start <= tokens)?.price ?? listed.base) : listed

type BookPrice = Readonly<Record<string, Listed>>

const readPrice = (book: BookPrice): TokenPrice | undefined => {
  const { input_mtok: inputs, output_mtok: outputs, cache_read_mtok: cached } = book
  const [input, output] = [baseOf(inputs), baseOf(outputs)]
  if (input === undefined || output === undefined) return undefined
  const steps = [inputs, outputs, cached].flatMap((listed) => (typeof listed === 'object' ? listed.tiers.map(({ start }) => start) : []))
  const above = [...new Set(steps)]
    .toSorted((left, right) => left - right)
    .map((tokens) => ({
      tokens,
      ...plain({
        input: fromTokens(inputs, tokens) ?? input,
        output: fromTokens(outputs, tokens) ?? output,
        cachedInput: fromTokens(cached, tokens),
      }),
    }))
  return { ...plain({ input, output, cachedInput: baseOf(cached) }), ...(above.length === 0 ? {} : { above }) }
}

/** Which of the book's providers a server is. */
type BookServer = { readonly url?: string | undefined; readonly pricesOf?: string | undefined }

const HOUR_MS = 3_600_000

/** The published prices of a model; they are looked up again every hour, because some change by the day or by the hour. */
const bookPricing = (
  { calcPrice, findProvider }: Genai,
  model: string,
  { url, pricesOf, nowMs: now }: BookServer & { nowMs: number },
): Pricing => {
  const provider =
    pricesOf === undefined
      ? url === undefined
        ? undefined
        : findProvider({ providerApiUrl: url })
      : findProvider({ providerId: pricesOf })
  if (provider === undefined) return UNKNOWN // P3
  let known: { readonly hour: number; readonly price: TokenPrice | undefined } | undefined
  const at = (nowMs: number): TokenPrice | undefined => {
    const hour = Math.floor(nowMs / HOUR_MS)
    if (known?.hour !== hour) {
      const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { provider, timestamp: new Date(nowMs) })
      known = { hour, price: found === null ? undefined : readPrice(found.model_price) }
    }
    return known.price
  }
  return at(now) === undefined ? UNKNOWN : { source: 'book', at }
}

export type PriceBook = {
  /** P1. */
  readonly pricingOf: (model: string, own: PriceEntry | undefined, server: BookServer) => Pricing
}

/** Opens the book. It is loaded only when a price is looked for in it. */
export const openPriceBook = async (
  written: Readonly<Record<string, PriceEntry>>,
  { isNeeded, nowMs }: { isNeeded: boolean; nowMs: number },
): Promise<PriceBook> => {
  const genai = isNeeded ? await import('@pydantic/genai-prices') : undefined
  return {
    pricingOf: (model, own, server) => {
      const entry = own ?? (Object.hasOwn(written, model) ? written[model] : undefined) // P1
      if (entry !== undefined) return writtenPricing(entry)
      return genai === undefined ? UNKNOWN : bookPricing(genai, model, { ...server, nowMs })
    },
  }
}
