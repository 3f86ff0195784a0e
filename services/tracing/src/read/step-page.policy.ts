// What is shown of a large tree. Ten thousand items are counted and summed, not listed.
//   N1. A level shows at most so many children; the rest is a number, and where to go on.
//   N2. A level that is cut shows failed children first, then open ones, then the slowest; one that is not stays in order of time.
//   N3. The answer as a whole has an upper bound: levels above come before levels below.
import type { StepNode } from './step-tree.policy.ts'

/** Children that a level does not show, and how many come before them. */
export type More = { readonly hidden: number; readonly after: number }

export type PagedNode = Omit<StepNode, 'children'> & { readonly children: readonly PagedNode[]; readonly more?: More }
export type Page = { readonly nodes: readonly PagedNode[]; readonly more?: More }

export type PageOptions = {
  /** Children that a level shows. */
  readonly levelMax: number
  /** Nodes in all. */
  readonly nodesMax: number
  /** How many of the first level have been seen before. */
  readonly after?: number
}

type Level = { readonly nodes: StepNode[]; readonly more?: More }

/** A page of a tree. */
export const pageOf = (nodes: readonly StepNode[], { levelMax, nodesMax, after = 0 }: PageOptions): Page => {
  const first = levelOf(nodes, { after, max: levelMax })
  const levels = new Map<StepNode, Level>()
  let left = nodesMax - first.nodes.length
  const queue = [...first.nodes]
  for (let at = 0; at < queue.length; at += 1) {
    const node = queue[at]
    if (node === undefined || node.children.length === 0) continue
    const level = levelOf(node.children, { after: 0, max: Math.min(levelMax, Math.max(0, left)) }) // N3
    left -= level.nodes.length
    levels.set(node, level)
    queue.push(...level.nodes)
  }
  const shown = (node: StepNode): PagedNode => {
    const { nodes: children, more } = levels.get(node) ?? { nodes: [] }
    return { ...node, children: children.map(shown), ...(more === undefined ? {} : { more }) }
  }
  return { nodes: first.nodes.map(shown), ...(first.more === undefined ? {} : { more: first.more }) }
}

const levelOf = (nodes: readonly StepNode[], { after, max }: { after: number; max: number }): Level => {
  if (after === 0 && nodes.length <= max) return { nodes: [...nodes] }
  const shown = nodes
    .toSorted((a, b) => rankOf(a) - rankOf(b) || (b.totalMs ?? 0) - (a.totalMs ?? 0) || a.seq - b.seq)
    .slice(after, after + max) // N2
  const hidden = nodes.length - after - shown.length
  return { nodes: shown, ...(hidden > 0 ? { more: { hidden, after: after + shown.length } } : {}) } // N1
}

/** 0 for what comes first. */
const rankOf = ({ status, sum }: StepNode): number => {
  if (status === 'failed') return 0
  if (sum.failed > 0) return 1
  if (status === 'completed') return 3
  return status === 'abandoned' ? 4 : 2
}

/** The node at a place; undefined when the tree has none. */
export const nodeAt = (nodes: readonly StepNode[], path: string): StepNode | undefined => {
  for (const node of nodes) {
    if (node.path === path) return node
    const isAbove = path.startsWith(`${node.path}/`) || path.startsWith(`${node.path}[`)
    const found = isAbove ? nodeAt(node.children, path) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
