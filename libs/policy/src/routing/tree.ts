// A route as a tree: how one model of several is chosen. Names at the leaves are models, or other routes.
import type { ActivationNeed } from '../activation/index.ts'

/** What a request is the same by, for choices that have to stay: two requests with one key take the same branch. */
export type StickyBy = 'run' | 'session' | 'user' | 'tenant'

/** What each part of a score counts. */
export type ScoreWeights = { readonly quality: number; readonly price: number; readonly latency: number; readonly load: number }

export type RouteTree =
  | { readonly kind: 'use'; readonly name: string }
  /** In this order: each stands in for those before it. */
  | { readonly kind: 'fallback'; readonly of: readonly RouteTree[] }
  /** Drawn by weight; the others stand in for it. */
  | { readonly kind: 'weighted'; readonly of: readonly { readonly weight: number; readonly use: RouteTree }[]; readonly sticky?: StickyBy }
  /** The first whose condition holds; `if` absent: otherwise. */
  | { readonly kind: 'when'; readonly rules: readonly { readonly if?: string; readonly use: RouteTree }[] }
  /** The cheapest that can do it, of at least this quality. */
  | { readonly kind: 'cheapest'; readonly of: readonly RouteTree[]; readonly qualityMin?: number }
  /** The cheapest of those that nearly always answer within this time, as seen; none does: the fastest. */
  | { readonly kind: 'fastest'; readonly of: readonly RouteTree[]; readonly withinMs?: number }
  /** By score of quality, price, latency and load; among near ties the one with less to do. */
  | { readonly kind: 'balanced'; readonly of: readonly RouteTree[]; readonly weights?: ScoreWeights }
  /** The cheapest that a learned router believes to be right with this probability; none: the one it believes in most. */
  | { readonly kind: 'learned'; readonly router: string; readonly of: readonly RouteTree[]; readonly okMin?: number }
  /** Asked one after another until an answer is accepted; `person`: who is asked when none is. */
  | {
      readonly kind: 'cascade'
      readonly stages: readonly { readonly use: RouteTree; readonly accept?: AcceptSpec }[]
      readonly person?: ActivationNeed
    }
  /** A share of the questions is also put to another model, whose answer nobody sees. */
  | { readonly kind: 'shadow'; readonly use: RouteTree; readonly copy: RouteTree; readonly share: number }
  /** A share goes to a newcomer; the same key stays with it. */
  | {
      readonly kind: 'canary'
      readonly use: RouteTree
      readonly canary: RouteTree
      readonly share: number
      readonly sticky: StickyBy
      /** Changing it draws anew who is in the share. */
      readonly salt?: string
    }

/** When the answer of a cheap model counts. */
export type AcceptSpec = {
  /** Least confidence that the answer gives of itself. */
  readonly confidenceMin?: number
  /** Artefact that says how probable it is that the answer is right, and from where on it counts. */
  readonly judge?: string
  readonly probabilityMin?: number
  /** Whether an answer that had to be mended may count. */
  readonly repaired?: boolean
}

/** Every name at a leaf, in order. */
export const namesOf = (tree: RouteTree): readonly string[] => {
  switch (tree.kind) {
    case 'use':
      return [tree.name]
    case 'fallback':
    case 'cheapest':
    case 'fastest':
    case 'balanced':
    case 'learned':
      return tree.of.flatMap(namesOf)
    case 'weighted':
      return tree.of.flatMap(({ use }) => namesOf(use))
    case 'when':
      return tree.rules.flatMap(({ use }) => namesOf(use))
    case 'cascade':
      return tree.stages.flatMap(({ use }) => namesOf(use))
    case 'shadow':
      return [...namesOf(tree.use), ...namesOf(tree.copy)]
    case 'canary':
      return [...namesOf(tree.canary), ...namesOf(tree.use)]
  }
}

/** All trees in a tree, itself first. */
export const treesIn = (tree: RouteTree): readonly RouteTree[] => {
  const below = ((): readonly RouteTree[] => {
    switch (tree.kind) {
      case 'use':
        return []
      case 'fallback':
      case 'cheapest':
      case 'fastest':
      case 'balanced':
      case 'learned':
        return tree.of
      case 'weighted':
        return tree.of.map(({ use }) => use)
      case 'when':
        return tree.rules.map(({ use }) => use)
      case 'cascade':
        return tree.stages.map(({ use }) => use)
      case 'shadow':
        return [tree.use, tree.copy]
      case 'canary':
        return [tree.use, tree.canary]
    }
  })()
  return [tree, ...below.flatMap(treesIn)]
}
