// Steps and rules that no run ever comes to.
import type { Report } from '../diagnostic.ts'
import type { FlowTree, RuleTree, StepTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'
import { constantOf } from './constant.ts'
import { walkFrom, type Domain } from './forward.ts'
import { entriesOf, walkHandlers } from './handlers.ts'

/** Reports steps that no way leads to, and rules behind a condition that always holds. */
export const checkReach = (tree: FlowTree, report: Report): void => {
  const domain = reachDomain(report)
  walkFrom<Reached>(tree.steps, entriesOf<Reached>(tree, true), domain)
  walkHandlers<Reached>(tree, true, domain)
  everyStep(tree, (step) => {
    for (const rules of [step.kind === 'switch' ? step.rules : undefined, step.gate]) if (rules !== undefined) checkRules(rules, report)
  })
}

type Reached = true

const reachDomain = (report: Report): Domain<Reached> => ({
  join: () => true,
  work: (step, before, run) => workReaches(step, (block) => run(block, before) !== undefined),
  failed: () => true,
  unreachable: (step, previous) => {
    if (previous === undefined && constantOf(step.when) === false) {
      report.add(step.at, 'step.unreachable', `${nameOf(step)} never runs: its condition is always false`, 'remove the step, or its "when"')
      return
    }
    const cause = previous === undefined ? 'everything before it' : `every way out of ${nameOf(previous)}`
    report.add(
      step.at,
      'step.unreachable',
      `no run comes to ${nameOf(step)}: ${cause} ends the run or jumps past it`,
      `remove ${nameOf(step)}, or let an outcome before it say next or ${step.name ?? 'next'}`,
    )
  },
})

type Goes = (block: { readonly steps: readonly StepTree[]; readonly at: StepTree['at'] }) => boolean

/** Whether a step has an output when some of its blocks never have one. */
const workReaches = (step: StepTree, goes: Goes): Reached | undefined => {
  if (step.undo !== undefined) goes(step.undo)
  switch (step.kind) {
    case 'parallel': {
      const ended = step.branches.map(({ block }) => goes(block))
      // A branch that ends the run is reported as a join; what follows is not the mistake.
      return ended.some(Boolean) || undefined
    }
    case 'map':
      goes(step.each)
      return true // There may be nothing to go over.
    case 'vote': {
      const voted = step.voters.map(({ block }) => goes(block)).some(Boolean)
      return (step.judge === undefined ? voted : goes(step.judge)) || undefined
    }
    case 'loop':
      return goes(step.body) || undefined
    default:
      return true
  }
}

/** What follows the else is found with the decisions; here what follows a condition that is the same as an else. */
const checkRules = (rules: readonly RuleTree[], report: Report): void => {
  const always = rules.findIndex((rule) => constantOf(rule.when) === true && rule.outcome.then !== 'retry')
  const next = always === -1 ? undefined : rules[always + 1]
  if (next !== undefined) {
    const message = 'no run comes to this rule: the condition before it always holds'
    report.add(next.at, 'rule.unreachable', message, 'write "else" for the condition that always holds, as the last rule')
  }
  for (const rule of always === -1 ? rules : rules.slice(0, always)) {
    if (constantOf(rule.when) === false)
      report.add(rule.at, 'rule.unreachable', 'this condition is always false', 'remove the rule, or say when it is to hold')
  }
}
