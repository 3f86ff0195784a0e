// Rates and places of everything that is limited, for the calls of this process (B8).
//   R1. A call goes out only when every limit that applies has given it what it needs; when one has not, the others get theirs back.
//   R2. Rates are spent from slices, so most calls ask nobody; what a call needed less than was thought goes back.
//   R3. Places are leased: a process that dies gives them back by that.
import { bucketOf, type Bucket, Slice } from '@baton/policy'
import type { LimitStore } from '@baton/store'
import type { Claim } from './limits-config.ts'
import { Places } from './places.ts'
import { promiseHandle } from '../attempts/promise-handle.ts'

const MINUTE_MS = 60_000
const KEYS_MAX = 10_000

/** What a call was given; `done` with the tokens it used, as soon as it is over. */
export type Ticket = { readonly done: (tokens: number) => void }
type Refused = { readonly key: string; readonly waitMs: number }
export type Limiter = {
  readonly acquire: (claims: readonly Claim[], tokens: number) => Promise<Ticket | Refused>
  readonly close: () => Promise<void>
}

class Rate {
  readonly #key: string
  readonly #bucket: Bucket
  readonly #store: LimitStore
  readonly #slice = new Slice()
  #asking: Promise<void> | undefined

  constructor(key: string, count: number, store: LimitStore) {
    this.#key = key
    this.#bucket = bucketOf({ count, periodMs: MINUTE_MS })
    this.#store = store
  }

  /** Milliseconds to wait; 0: taken. What is more than the bucket ever holds is taken as all it holds. */
  async take(amount: number, clockMs: () => number): Promise<number> {
    const need = Math.min(amount, this.#bucket.capacity)
    for (;;) {
      if (this.#slice.take(need, clockMs())) {
        if (this.#asking === undefined && this.#slice.isLow(clockMs())) void this.#ask(need, clockMs).catch(() => 0) // R2: ahead of need
        return 0
      }
      if (this.#asking !== undefined) {
        await this.#asking
        continue
      }
      const waitMs = await this.#ask(need, clockMs)
      if (waitMs > 0) return waitMs
    }
  }

  /** Asks the store once for all who wait; milliseconds to wait when there is nothing. */
  async #ask(need: number, clockMs: () => number): Promise<number> {
    const { promise, resolve } = promiseHandle<void>()
    this.#asking = promise
    try {
      const want = Math.min(this.#bucket.capacity, this.#slice.want(need, this.#bucket))
      const { granted, waitMs } = await this.#store.take({ key: this.#key, ...this.#bucket, want, min: need })
      if (granted === 0) return Math.max(1, waitMs)
      this.#slice.granted(granted, clockMs())
      return 0
    } finally {
      this.#asking = undefined
      resolve()
    }
  }

  giveBack(amount: number, nowMs: number): void {
    this.#slice.giveBack(Math.min(amount, this.#bucket.capacity), nowMs)
  }
}

type Held = {
  readonly rates: readonly { readonly rate: Rate; readonly amount: number; readonly tokens: boolean }[]
  readonly places: readonly Places[]
}

/** Makes it. `holder` names this process. */
export const createLimiter = ({ store, holder, clockMs }: { store: LimitStore; holder: string; clockMs: () => number }): Limiter => {
  const rates = new Map<string, Rate>()
  const places = new Map<string, Places>()
  const rateOf = (key: string, count: number): Rate => {
    const known = rates.get(key)
    if (known !== undefined) return known
    if (rates.size >= KEYS_MAX) rates.clear()
    const made = new Rate(key, count, store)
    rates.set(key, made)
    return made
  }
  const placesOf = (key: string, max: number): Places => {
    const known = places.get(key)
    if (known !== undefined) return known
    const made = new Places({ key, max, holder, store, onIdle: () => places.delete(key) })
    places.set(key, made)
    return made
  }
  const giveBack = ({ rates: taken, places: held }: Held, usedTokens: number): void => {
    const nowMs = clockMs()
    for (const place of held) place.free()
    for (const { rate, amount, tokens } of taken) if (tokens && usedTokens < amount) rate.giveBack(amount - usedTokens, nowMs) // R2
  }
  const acquire: Limiter['acquire'] = async (claims, tokens) => {
    const held = { rates: [] as Held['rates'][number][], places: [] as Places[] }
    const refuse = (key: string, waitMs: number): Refused => {
      const nowMs = clockMs()
      for (const { rate, amount } of held.rates) rate.giveBack(amount, nowMs) // R1
      for (const place of held.places) place.free()
      return { key, waitMs }
    }
    for (const { key, requestsPerMinute, tokensPerMinute, concurrency } of claims) {
      if (concurrency !== undefined) {
        const place = placesOf(`${key}/places`, concurrency)
        if (!(await place.take())) return refuse(key, PLACE_WAIT_MS)
        held.places.push(place)
      }
      const wanted = [
        { name: 'requests', count: requestsPerMinute, amount: 1, tokens: false },
        { name: 'tokens', count: tokensPerMinute, amount: tokens, tokens: true },
      ]
      for (const { name, count, amount, tokens: counted } of wanted) {
        if (count === undefined || amount <= 0) continue
        const rate = rateOf(`${key}/${name}/${count}`, count)
        const waitMs = await rate.take(amount, clockMs)
        if (waitMs > 0) return refuse(key, waitMs)
        held.rates.push({ rate, amount, tokens: counted })
      }
    }
    let open = true
    const done = (used: number): void => {
      if (open) giveBack(held, used)
      open = false
    }
    return { done }
  }
  return { acquire, close: async () => void (await Promise.all([...places.values()].map((place) => place.close()))) }
}

/** When a place may be free again nobody knows. */
const PLACE_WAIT_MS = 100
