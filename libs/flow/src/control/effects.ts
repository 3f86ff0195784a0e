// What cannot be taken back needs a person before it, on every way that leads to it.
import { createAnalyser } from '../expression.ts'
import type { Report } from '../diagnostic.ts'
import type { BlockTree, ExprTree, FlowTree, StepTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'
import { walkFrom, type Domain } from './forward.ts'
import { entriesOf, walkHandlers } from './handlers.ts'

/** Whether a person decided on every way to here; if not, how a run gets here without one. */
type Approval = { readonly approved: true } | { readonly approved: false; readonly how?: string }

const UNASKED: Approval = { approved: false }

/** Reports irreversible steps that some way leads to without a person. */
export const checkEffects = (tree: FlowTree, report: Report): void => {
  const people = new Set<string>()
  let found = false
  everyStep(tree, (step) => {
    if (step.kind === 'human' && step.name !== null) people.add(step.name)
    found ||= step.effect === 'irreversible'
  })
  if (!found) return
  const domain = approvalDomain(people, report)
  walkFrom(tree.steps, entriesOf(tree, UNASKED), domain)
  walkHandlers(tree, UNASKED, domain)
}

const approvalDomain = (people: ReadonlySet<string>, report: Report): Domain<Approval> => {
  const implied = createImplied(people)
  return {
    join: (left, right) => (left.approved ? right : left),
    work: (step, before, run) => {
      if (step.effect === 'irreversible' && step.kind !== 'human' && !before.approved) report.add(...unapproved(step, before.how))
      const after = workApproves(step, before, run)
      if (step.undo !== undefined && after !== undefined) run(step.undo, after)
      return after
    },
    failed: (step, before) => orHow(before, `when ${nameOf(step)} fails`),
    skipped: (step, before) => orHow(before, `when ${nameOf(step)} is skipped`),
    assume: (condition, state) => (!state.approved && implied(condition) ? { approved: true } : state),
  }
}

/** The first reason stays: it is where the way without a person began. */
const orHow = (state: Approval, how: string): Approval => (state.approved || state.how !== undefined ? state : { approved: false, how })

const unapproved = (step: StepTree, how: string | undefined): Parameters<Report['add']> => {
  const way = how === undefined ? 'no person is asked before it' : `no person is asked before it ${how}`
  return [
    step.effectAt ?? step.at,
    'effect.unapproved',
    `${nameOf(step)} cannot be taken back, and ${way}`,
    `put a human step before ${nameOf(step)} on every way to it, and let its gate go on only when the person agrees`,
  ]
}

/**
 * A person who only says yes or no stops the run with a no. One who answers with data decides only where something looks at the answer:
 * the gate of the step, or a later condition (`assume`).
 */
const answerDecides = ({ returns, gate = [] }: StepTree): boolean => returns === undefined || gate.some(({ when }) => when !== undefined)

type Run = (block: BlockTree, before: Approval) => Approval | undefined

type Parallel = Extract<StepTree, { readonly kind: 'parallel' }>

const branchesApprove = ({ branches, join, onFailure }: Parallel, before: Approval, run: Run): Approval => {
  const outs = branches.map(({ block }) => run(block, before))
  const whole = join.join === 'all' && onFailure === 'fail'
  const ended = outs.filter((out) => out !== undefined)
  const approved = whole ? ended.some((out) => out.approved) : ended.length > 0 && ended.every((out) => out.approved)
  return approved ? { approved: true } : before
}

/** What the work of a step adds: a person, or a part that every run goes through. */
const workApproves = (step: StepTree, before: Approval, run: Run): Approval | undefined => {
  switch (step.kind) {
    case 'human':
      // Advisory reviews go on without an answer when nobody gives one.
      return answerDecides(step) && step.human.risk !== 'advisory' ? { approved: true } : before
    case 'parallel':
      return branchesApprove(step, before, run)
    case 'map':
      run(step.each, before)
      return before // There may be nothing to go over.
    case 'vote': {
      for (const { block } of step.voters) run(block, before)
      return step.judge === undefined ? before : run(step.judge, before)
    }
    case 'loop':
      return run(step.body, before)
    default:
      return before
  }
}

/**
 * Whether a condition can only hold when a person answered: it reads a field of the answer, or asks that there is one, and
 * nothing in it holds instead.
 */
const createImplied = (people: ReadonlySet<string>): ((condition: ExprTree) => boolean) => {
  let analyse: ReturnType<typeof createAnalyser> | undefined
  return ({ cel }) => {
    if (!(cel.match(/\w+/g) ?? []).some((word) => people.has(word))) return false
    analyse ??= createAnalyser(people)
    if (cel.includes('||') || cel.includes('?') || /==\s*null|null\s*==/.test(cel)) return false
    const analysis = analyse(cel)
    return (
      analysis.ok &&
      analysis.paths.some(({ root, keys, use }) => people.has(root) && (use === 'null' || (use === 'value' && keys.length > 0)))
    )
  }
}
