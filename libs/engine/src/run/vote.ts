// Several voters, one answer (A5): counted by vote.policy.ts, or put before a judge.
import type { FaultData } from '@baton/contracts/fault'
import { canonicalJson, type Json } from '@baton/contracts/json'
import type { PlanNode } from '@baton/flow/plan'
import type { Entry, Group } from '../state.ts'
import { failStep } from './failure.ts'
import { openNested } from './frames.ts'
import { WAIT, type Judge, type Shape, type Verdict } from './group.ts'
import { faultsOf } from './parallel.ts'
import { plainContentOf } from './entry.ts'
import { scopeOf } from './scope.ts'
import { follow } from './settle.ts'
import { journalDecided, type Place, type Turn } from './turn.ts'
import { countVotes, type Ballot } from './vote.policy.ts'

type VoteNode = PlanNode & { readonly kind: 'vote' }

export const voteShape = ({ path, node }: Place, { voters }: VoteNode): Shape => ({
  concurrency: voters.length,
  chunk: 1,
  part: (number) => ({ block: voters[number]?.block ?? -1, path, prefix: node.id }),
})

export const voteJudge =
  (turn: Turn, place: Place, node: VoteNode): Judge =>
  (group): Verdict => {
    const allIn = group.succeeded + group.failed === group.total
    if (allIn && group.succeeded === 0) return { is: 'failed', fault: faultsOf(group)[0] ?? undecided(node, 'nobody voted') }
    if (node.rule === 'judge') return allIn ? { is: 'then', go: () => askJudge(turn, place, node, group) } : WAIT
    const { rule, early, voters } = node
    const ballots = group.outputs.map((entry, number): Ballot => {
      if (entry === null) return group.faults[number] === undefined ? null : 'failed'
      return { said: saidBy(turn, place, node, entry), weight: voters[number]?.weight ?? 1 }
    })
    const count = countVotes(ballots, { rule, early, weights: voters.map(({ weight }) => weight) })
    if (count.is === 'open') return WAIT
    const winner = count.is === 'won' ? group.outputs[count.voter] : undefined
    if (winner === undefined || winner === null) return { is: 'then', go: () => breakTie(turn, place, node, group) }
    journalDecided(turn, place, 'vote', 'won', { votes: group.succeeded, of: group.total })
    return { is: 'done', entry: winner }
  }

/** What is counted of an output. */
const saidBy = (turn: Turn, { frame }: Place, { on }: VoteNode, entry: Entry): string =>
  canonicalJson(on === undefined ? plainContentOf(entry) : turn.program.value({ cel: on }, scopeOf(turn, turn.program.plan, frame, entry)))

const ballotsOf = ({ outputs }: Group): Entry => ({
  output: outputs.flatMap((entry): Json[] => (entry === null ? [] : [plainContentOf(entry)])),
  by: 'vote',
})

const askJudge = (turn: Turn, place: Place, { judge, id }: VoteNode, group: Group): void => {
  if (judge === undefined) {
    failStep(turn, place.key, undecided({ id }, 'there is no judge'))
    return
  }
  openNested(turn, place, judge, { is: 'nested', use: 'judge', after: 'next' }, { it: ballotsOf(group) })
}

const breakTie = (turn: Turn, place: Place, node: VoteNode, group: Group): void => {
  journalDecided(turn, place, 'vote', 'tie', { votes: group.succeeded, of: group.total })
  if (node.tie === undefined || node.tie.then === 'fail') failStep(turn, place.key, undecided(node, 'nobody has won'))
  else follow(turn, place, { outcome: node.tie, entry: ballotsOf(group), use: 'case', label: 'tie', rule: 'tie' })
}

const undecided = ({ id }: Pick<VoteNode, 'id'>, why: string): FaultData => ({
  code: 'vote.undecided',
  message: `${id}: ${why}`,
  detail: { node: id },
})
