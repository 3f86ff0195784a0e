// The ledger around effects (C4): a command that is delivered again finds what became of its effect.
//   C1. The intent is written before the tool is called, the result before the step is answered.
//   C2. A done effect answers with the result kept; nothing is called.
//   C3. An open effect (a try began and nobody knows how it ended) is asked about; it is done again only by a tool that has its effect
//       once for its key; else it is a person's matter: `effect.uncertain`.
//   C4. The same key with other arguments is `effect.conflicting`.
//   C5. When every tool said that nothing happened, the entry is closed as failed and the next delivery opens another one.
//   C6. Within a process a repeat waits for the delivery under way, so that a slow tool is not taken for a crashed one.
import { canonicalJson, Fault, isJsonObject, sha256, type Json } from '@baton/contracts'
import type { EffectStore } from '@baton/store'

/** The effect that a step wants: the same for every delivery of it. */
export type WantedEffect = { readonly tenant: string; readonly key: string; readonly tools: readonly string[]; readonly args: Json }
/** What a tool gave, and which one; `asked`: the hash of what was asked for, where a person changed it. */
export type KeptEffect = { readonly tool: string; readonly output: Json; readonly asked?: string }

export type OpenedEffect =
  | { readonly state: 'done'; readonly kept: KeptEffect }
  /** `fresh`: nobody tried before. Else an earlier try may have had the effect. */
  | { readonly state: 'open'; readonly fresh: boolean; readonly entry: string }

/** Entries of one effect that failed for certain before it is given up. */
const ENTRIES_MAX = 100

const keptOf = (result: Json): KeptEffect | 'failed' => {
  if (isJsonObject(result) && typeof result['tool'] === 'string' && result['output'] !== undefined) {
    const { tool, output, asked } = result
    return { tool, output, ...(typeof asked === 'string' ? { asked } : {}) }
  }
  return 'failed'
}

/** Finds or makes the entry of an effect. Throws `effect.conflicting`. */
export const openEffect = async (effects: EffectStore, { tenant, key, tools, args }: WantedEffect): Promise<OpenedEffect> => {
  const tool = tools.join(',')
  const argsHash = sha256(canonicalJson(args))
  for (let n = 1; n <= ENTRIES_MAX; n += 1) {
    const entry = n === 1 ? key : `${key}#${n}`
    const begun = await effects.begin({ tenant, key: entry, tool, argsHash }) // C1
    switch (begun.state) {
      case 'new':
        return { state: 'open', fresh: true, entry }
      case 'open':
        return { state: 'open', fresh: false, entry }
      case 'conflict': // C4
        throw new Fault('effect.conflicting', `${tool} was asked for this effect before with other arguments`, { tool, effect: key })
      case 'done': {
        const kept = keptOf(begun.result)
        if (kept !== 'failed') return { state: 'done', kept } // C2
      }
    }
  }
  throw new Fault('effect.uncertain', `${tool} failed ${ENTRIES_MAX} times at this effect`, { tool, effect: key })
}

/** The result of an effect that was had for these arguments, or for what a person made of them; undefined where there is none (C2). */
export const findEffect = async (
  effects: EffectStore,
  { tenant, key, args }: Omit<WantedEffect, 'tools'>,
): Promise<KeptEffect | undefined> => {
  const argsHash = sha256(canonicalJson(args))
  for (let n = 1; n <= ENTRIES_MAX; n += 1) {
    const known = await effects.find({ tenant, key: n === 1 ? key : `${key}#${n}` })
    if (known?.result === undefined) return undefined
    const kept = keptOf(known.result)
    if (kept !== 'failed') return known.argsHash === argsHash || kept.asked === argsHash ? kept : undefined
  }
  return undefined
}

/** Keeps the result of an effect. */
export const keepEffect = async (
  effects: EffectStore,
  { tenant, entry, kept }: { tenant: string; entry: string; kept: KeptEffect },
): Promise<void> => effects.finish({ tenant, key: entry, result: { ...kept } })

/** Closes an entry whose tools all said that nothing happened (C5). */
export const closeFailed = async (effects: EffectStore, { tenant, entry }: { tenant: string; entry: string }): Promise<void> =>
  effects.finish({ tenant, key: entry, result: { failed: true } })

/** Runs work of one key after the other (C6). */
export const oneAtATime = (): (<T>(key: string, work: () => Promise<T>) => Promise<T>) => {
  const underWay = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const started = (underWay.get(key) ?? Promise.resolve()).then(work, work)
    underWay.set(key, started)
    try {
      return await started
    } finally {
      if (underWay.get(key) === started) underWay.delete(key)
    }
  }
}
