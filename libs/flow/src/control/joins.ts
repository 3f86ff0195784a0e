// Joins that cannot be met: more branches asked for than there are, or than ever come to an end.
import type { Report } from '../diagnostic.ts'
import type { BlockTree, FlowTree, StepTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'
import { walkForward, type Domain } from './forward.ts'

type Of<Kind extends StepTree['kind']> = StepTree & { readonly kind: Kind }

/** Reports joins, votes and rounds that can never be complete. */
export const checkJoins = (tree: FlowTree, report: Report): void => {
  const completes = createCompletes()
  everyStep(tree, (step) => {
    if (step.kind === 'parallel') checkParallel(step, { completes, report })
    if (step.kind === 'vote') checkVote(step, { completes, report })
    if (step.kind === 'map' && !completes(step.each)) {
      const message = `no item of ${nameOf(step)} ever has an output: every way through "each" ends the run`
      report.add(step.each.at, 'join.impossible', message, 'let one way through "each" go on to its end')
    }
  })
}

type Joining = { readonly completes: (block: BlockTree) => boolean; readonly report: Report }

const checkParallel = (step: Of<'parallel'>, { completes, report }: Joining): void => {
  const count = step.branches.length
  for (const { at, name, block } of step.branches) {
    if (completes(block)) continue
    const message = `the branch "${name}" never has an output: every way through it ends the run, also for the other branches`
    report.add(at, 'join.impossible', message, 'let the branch give an output, and decide in a gate behind the join')
  }
  const { join } = step
  if (join.join === 'quorum' && (join.quorum > count || join.quorum < 1)) {
    const message = `${nameOf(step)} waits for ${join.quorum} of ${count} ${count === 1 ? 'branch' : 'branches'}`
    report.add(step.at, 'join.impossible', message, `join: ${count > 1 ? `{ quorum: ${count} }` : 'all'}`)
  } else if (count === 1 && (join.join === 'any' || join.join === 'first')) {
    const message = `"join: ${join.join}" chooses between branches, and ${nameOf(step)} has one`
    report.add(step.at, 'join.impossible', message, 'add a branch, or write "join: all"')
  }
}

const checkVote = (step: Of<'vote'>, { completes, report }: Joining): void => {
  for (const { block } of step.voters) {
    if (completes(block)) continue
    const message = `a voter of ${nameOf(step)} never votes: every way through it ends the run`
    report.add(block.at, 'join.impossible', message, 'let the voter give an output, and decide in a gate behind the vote')
  }
}

/** Whether some way through a block comes to its end. Asked once for each block, and answered for those in it as well. */
const createCompletes = (): ((block: BlockTree) => boolean) => {
  const answers = new Map<BlockTree, boolean>()
  const ask = (block: BlockTree): boolean => {
    const known = answers.get(block)
    if (known !== undefined) return known
    const answer = walkForward<true>(block.steps, true, domain) !== undefined
    answers.set(block, answer)
    return answer
  }
  const domain: Domain<true> = {
    join: () => true,
    work: (step) => workCompletes(step, ask) || undefined,
    failed: () => true,
  }
  return ask
}

const workCompletes = (step: StepTree, ask: (block: BlockTree) => boolean): boolean => {
  switch (step.kind) {
    case 'parallel':
      return step.branches.some(({ block }) => ask(block))
    case 'vote':
      return step.voters.some(({ block }) => ask(block))
    case 'loop':
      return ask(step.body)
    default:
      return true
  }
}
