// Two versions of a prompt beside each other: which lines went and came, and what that means for the steps that use it.

export type LineChange = { readonly sign: ' ' | '-' | '+'; readonly text: string }

/** Longest common lines; prompts are short. */
const tableOf = (left: readonly string[], right: readonly string[]): readonly Uint32Array[] => {
  const table = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1))
  for (let i = left.length - 1; i >= 0; i--) {
    const [row, below] = [table[i], table[i + 1]]
    for (let j = right.length - 1; j >= 0 && row !== undefined && below !== undefined; j--) {
      row[j] = left[i] === right[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return table
}

/** Lines of both texts, in order. */
export const diffLines = (before: string, after: string): readonly LineChange[] => {
  const [left, right] = [before.split('\n'), after.split('\n')]
  const table = tableOf(left, right)
  const common = (i: number, j: number): number => table[i]?.[j] ?? 0
  const changes: LineChange[] = []
  let [i, j] = [0, 0]
  while (i < left.length && j < right.length) {
    const [one = '', other = ''] = [left[i], right[j]]
    if (one === other) changes.push({ sign: ' ', text: one })
    else changes.push(common(i, j + 1) > common(i + 1, j) ? { sign: '+', text: other } : { sign: '-', text: one })
    const sign = changes.at(-1)?.sign
    if (sign !== '+') i += 1
    if (sign !== '-') j += 1
  }
  const rest = (sign: '-' | '+', lines: readonly string[]): readonly LineChange[] => lines.map((text) => ({ sign, text }))
  return [...changes, ...rest('-', left.slice(i)), ...rest('+', right.slice(j))]
}

type Compared = { readonly variables: Readonly<Record<string, { readonly type: string }>>; readonly returns: string | undefined }

/** What steps that use the prompt have to do when they go over to the other version; empty: nothing. */
export const promptBreaks = (before: Compared, after: Compared): readonly string[] => {
  const [old, now] = [before.variables, after.variables]
  const renamed = Object.keys(now).filter((name) => !Object.hasOwn(old, name))
  return [
    ...renamed.map((name) => `steps have to give ${name}`),
    ...Object.keys(old)
      .filter((name) => !Object.hasOwn(now, name))
      .map((name) => `${name} is not taken any more`),
    ...Object.entries(now).flatMap(([name, { type }]) => {
      const was = old[name]?.type
      return was === undefined || was === type ? [] : [`${name} is a ${type} and was a ${was}`]
    }),
    ...(before.returns === after.returns ? [] : [`it answers ${after.returns ?? 'text'} and answered ${before.returns ?? 'text'}`]),
  ]
}
