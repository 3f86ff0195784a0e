// The names of a block seen from one of its steps, without a copy for each: a flow of n steps has n views of n names.
import type { StepTree } from '../tree.ts'

type Names = ReadonlyMap<string, { readonly step: StepTree; readonly first: number; readonly last: number }>

/** The steps of a block by name, with where they stand. */
export const blockNames = (steps: readonly StepTree[]): Names => {
  const names = new Map<string, { readonly step: StepTree; readonly first: number; readonly last: number }>()
  for (const [index, step] of steps.entries())
    if (step.name !== null) names.set(step.name, { step, first: names.get(step.name)?.first ?? index, last: index })
  return names
}

/** Steps of a block from one index up to another, and those that are known around it. */
export class StepNames implements ReadonlyMap<string, StepTree> {
  readonly #names: Names
  readonly #from: number
  readonly #to: number
  readonly #around: ReadonlyMap<string, StepTree> | undefined

  constructor(names: Names, { from = 0, to }: { readonly from?: number; readonly to: number }, around?: ReadonlyMap<string, StepTree>) {
    this.#names = names
    this.#from = from
    this.#to = to
    this.#around = around
  }

  get(name: string): StepTree | undefined {
    const found = this.#names.get(name)
    return found !== undefined && found.first < this.#to && found.last >= this.#from ? found.step : this.#around?.get(name)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  *entries(): Generator<[string, StepTree], undefined> {
    for (const entry of this.#around ?? []) if (!this.#names.has(entry[0]) || this.get(entry[0]) === entry[1]) yield entry
    for (const [name, { step, first, last }] of this.#names) if (first < this.#to && last >= this.#from) yield [name, step]
    return undefined
  }

  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name
    return undefined
  }

  *values(): Generator<StepTree, undefined> {
    for (const [, step] of this.entries()) yield step
    return undefined
  }

  [Symbol.iterator](): Generator<[string, StepTree], undefined> {
    return this.entries()
  }

  get size(): number {
    return [...this.entries()].length
  }

  forEach(visit: (step: StepTree, name: string, map: ReadonlyMap<string, StepTree>) => void): void {
    for (const [name, step] of this.entries()) visit(step, name, this)
  }
}
