// What parts side by side come to, for the reference: branches, items, voters.
import type { Json } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import { Failed, type Entry } from './reference-terms.ts'

type Came = readonly (Entry | Failed | null)[]
type Kind<K extends PlanNode['kind']> = PlanNode & { readonly kind: K }

const faultsOf = (outputs: Came): readonly Failed[] => outputs.filter((came) => came instanceof Failed)
const goodOf = (outputs: Came): readonly Entry[] => outputs.filter((came): came is Entry => came !== null && !(came instanceof Failed))
const valueOf = (came: Came[number] | undefined): Json =>
  came === null || came === undefined || came instanceof Failed ? null : came.output

/** Whether the branches have come to what is waited for; throws when they cannot any more. */
export const parallelState = ({ join, onFailure }: Kind<'parallel'>, outputs: Came): boolean => {
  const faults = faultsOf(outputs)
  const good = goodOf(outputs).length
  const all = good + faults.length === outputs.length
  const [first] = faults
  const impossible = new Failed('join.impossible')
  switch (join.join) {
    case 'all':
      if (onFailure === 'fail' && first !== undefined) throw first
      return all
    case 'any':
      if (good === 0 && onFailure === 'fail' && first !== undefined) throw first
      return good + faults.length > 0
    case 'first':
      if (good === 0 && all) throw impossible
      return good > 0
    case 'quorum':
      if (good < join.quorum && outputs.length - faults.length < join.quorum) throw impossible
      return good >= join.quorum
  }
}

export const joined = ({ branches, onFailure }: Kind<'parallel'>, outputs: Came): Json => {
  const fields = branches.map(({ name }, number): [string, Json] => [name, valueOf(outputs[number])])
  const failures = branches.flatMap(({ name }, number): Json[] => {
    const came = outputs[number]
    return came instanceof Failed ? [{ branch: name, code: came.code, message: came.message }] : []
  })
  return Object.fromEntries(onFailure === 'collect' ? [...fields, ['failures', failures]] : fields)
}

/** The list of a map once all have ended; throws when one failed and that fails the step. */
export const listed = ({ onFailure }: Kind<'map'>, outputs: Came): Entry | 'wait' => {
  const [first] = faultsOf(outputs)
  if (onFailure === 'fail' && first !== undefined) throw first
  if (outputs.includes(null)) return 'wait'
  const items = outputs.map(valueOf)
  if (onFailure !== 'collect') return { output: items, by: 'map' }
  const failures = outputs.flatMap((came, index): Json[] =>
    came instanceof Failed ? [{ index, code: came.code, message: came.message }] : [],
  )
  return { output: { items, failures }, by: 'map' }
}

/** Who has won; throws when nobody voted. */
export const voteState = (
  { voters, rule, early }: Kind<'vote'>,
  outputs: Came,
  said: (entry: Entry) => string,
): Entry | 'wait' | 'tie' | 'judge' => {
  const [first] = faultsOf(outputs)
  const all = !outputs.includes(null)
  if (all && goodOf(outputs).length === 0) throw first ?? new Failed('vote.undecided')
  if (rule === 'judge') return all ? 'judge' : 'wait'
  const weight = (voter: number): number => (rule === 'weighted' ? (voters[voter]?.weight ?? 1) : 1)
  const votes = outputs.flatMap((came, voter) =>
    came === null || came instanceof Failed ? [] : [{ came, voter, word: said(came), weight: weight(voter) }],
  )
  if (!all && (!early || votes.length === 0)) return 'wait'
  const out = outputs.reduce((sum, came, voter) => sum + (came === null ? weight(voter) : 0), 0)
  const sumOf = (word: string): number => votes.reduce((sum, vote) => sum + (vote.word === word ? vote.weight : 0), 0)
  const cast = votes.reduce((sum, vote) => sum + vote.weight, 0)
  const winner = votes.find(({ word }) => {
    const others = votes.filter((vote) => vote.word !== word).map((vote) => sumOf(vote.word))
    return rule === 'majority' ? sumOf(word) * 2 > cast + out : sumOf(word) > Math.max(0, ...others) + out
  })
  if (winner !== undefined) return winner.came
  return all ? 'tie' : 'wait'
}
