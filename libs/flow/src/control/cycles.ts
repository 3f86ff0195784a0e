// Flows that start each other without end.
import type { Report } from '../diagnostic.ts'
import type { FlowTree, StepTree } from '../tree.ts'
import { everyStep } from './blocks.ts'

type Call = { readonly from: string; readonly to: string; readonly step: StepTree; readonly tree: FlowTree }

/**
 * Reports the step of each flow that, through others or at once, starts its own flow again. Versions of a flow count as one.
 * `reportFor` is asked for the report of each flow: paths are those within the folder of a flow.
 */
export const checkFlowCycles = (flows: Iterable<FlowTree>, reportFor: (tree: FlowTree) => Report): void => {
  const calls = new Map<string, Call[]>()
  for (const tree of flows) {
    const own = calls.get(tree.flow) ?? []
    calls.set(tree.flow, own)
    everyStep(tree, (step) => {
      if (step.kind === 'flow') own.push({ from: tree.flow, to: step.flow, step, tree })
    })
  }
  const groups = groupsOf(calls)
  for (const { from, to, step, tree } of [...calls.values()].flat()) {
    if (from !== to && groups.get(from) !== groups.get(to)) continue
    const message = `${from} starts itself again${from === to ? '' : ` through ${wayBack(calls, to, from).join(' and ')}`}, without end`
    reportFor(tree).add(step.at, 'flow.cycle', message, 'use a loop with a maximum, or take what both need into a flow of its own')
  }
}

/** Flows on the way from one to another, the first included. */
const wayBack = (calls: ReadonlyMap<string, readonly Call[]>, from: string, to: string): readonly string[] => {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  const queue = [from]
  for (const name of queue) {
    if (name === to) break
    for (const call of calls.get(name) ?? []) {
      if (cameFrom.has(call.to)) continue
      cameFrom.set(call.to, name)
      queue.push(call.to)
    }
  }
  const way: string[] = []
  for (let name = cameFrom.get(to); name !== undefined; name = cameFrom.get(name)) way.unshift(name)
  return way.length > 4 ? [...way.slice(0, 3), `${way.length - 3} more`] : way
}

type Visit = { readonly name: string; readonly targets: readonly string[]; next: number; low: number; readonly index: number }

/** Which flows can start each other: each with the number of its group (Tarjan, without recursion). */
const groupsOf = (calls: ReadonlyMap<string, readonly Call[]>): ReadonlyMap<string, number> => {
  const groups = new Map<string, number>()
  const seen = new Map<string, Visit>()
  const open: string[] = []
  const enter = (name: string): Visit => {
    const targets = (calls.get(name) ?? []).map(({ to }) => to).filter((to) => calls.has(to))
    const visit = { name, targets, next: 0, low: seen.size, index: seen.size }
    seen.set(name, visit)
    open.push(name)
    return visit
  }
  for (const root of calls.keys()) {
    const stack = seen.has(root) ? [] : [enter(root)]
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const target = visit.targets[visit.next++]
      const known = target === undefined ? undefined : seen.get(target)
      if (target !== undefined) {
        if (known === undefined) stack.push(enter(target))
        else if (!groups.has(target)) visit.low = Math.min(visit.low, known.low)
        continue
      }
      stack.pop()
      const parent = stack.at(-1)
      if (parent !== undefined) parent.low = Math.min(parent.low, visit.low)
      if (visit.low === visit.index) close(visit, { open, groups })
    }
  }
  return groups
}

const close = ({ name, index }: Visit, { open, groups }: { open: string[]; groups: Map<string, number> }): void => {
  for (let member = open.pop(); member !== undefined; member = open.pop()) {
    groups.set(member, index)
    if (member === name) return
  }
}
