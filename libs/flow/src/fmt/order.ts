/** The order of keys at the top of a flow. */
export const TOP_ORDER: readonly string[] =
  'flow about labels limits history triggers params input schemas prompts buffers agents steps onError onLimit output results'.split(' ')

/** Words that say what a step does. */
const KIND_WORDS = 'model tool retrieve check agent team human task switch parallel map vote loop wait emit flow set'.split(' ')

/** The order of keys of a step: when, what, with what, how long and how often, what follows. */
export const STEP_ORDER: readonly string[] = [
  'about',
  'when',
  ...KIND_WORDS,
  ...'prompt effect cases else join as concurrency chunk max onFailure each do media with context returns timeout retry failover hedge cache budget limits guard gate onError onTimeout onLimit undo writes'.split(
    ' ',
  ),
]

/** A map with one of these is a step. */
export const STEP_WORDS: ReadonlySet<string> = new Set([...KIND_WORDS, 'prompt'])

/** Items in the order of their names; names that are not in the list stay behind the one they followed. */
export const byOrder = <Item>(items: readonly Item[], nameOf: (item: Item) => string, order: readonly string[]): readonly Item[] => {
  const places = new Map(order.map((name, index) => [name, index]))
  let last = -1
  const ranked = items.map((item, index) => {
    last = places.get(nameOf(item)) ?? last
    return { item, rank: last, index }
  })
  return ranked.sort((a, b) => a.rank - b.rank || a.index - b.index).map(({ item }) => item)
}
