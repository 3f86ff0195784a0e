import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { completed, decided, failed, given, play, programOf, requested, resultIn, type Step } from '../testing.ts'
import { countVotes, type Ballot } from './vote.policy.ts'

const flow = (vote: string): ReturnType<typeof programOf> =>
  programOf(`steps:\n  - v: { vote: { ${vote} }, prompt: hi, returns: { verdict: yes | no } }\n`)
const start = requested({}, { engineVersion: 2 })
const ballot = (voter: number, verdict: string): Step => completed(`v/voter[${voter}]/1`, { verdict }, { by: `model:m${voter}` })
const resultOf = (program: ReturnType<typeof programOf>, ...history: readonly Step[]) =>
  resultIn(play(program, [start, ...history]).outputs)?.result

describe('vote (A5)', () => {
  it('V1: takes what more than half said, from the first who said it', () => {
    expect(resultOf(flow('voters: 3, on: =it.verdict'), ballot(2, 'yes'), ballot(0, 'no'), ballot(1, 'yes'))?.output).toEqual({
      verdict: 'yes',
    })
  })

  it('V2: stops asking when the result is certain', () => {
    given(flow('voters: 3, early: true'), start, ballot(2, 'yes'))
      .when(ballot(0, 'yes'))
      .emits('completed v/voter[0]/1 by model:m0', 'vote v: won', 'completed v/1 by model:m0', 'ended completed', 'result completed')
  })

  it('V3: who fails has no vote; without any vote the step fails', () => {
    expect(resultOf(flow('voters: 3'), ballot(0, 'no'), failed('v/voter[1]/1'), failed('v/voter[2]/1'))?.output).toEqual({ verdict: 'no' })
    expect(resultOf(flow('voters: 2'), failed('v/voter[0]/1'), failed('v/voter[1]/1'))?.fault?.code).toBe('tool.failed')
  })

  it('a tie is what the flow says it is, else a fault', () => {
    expect(resultOf(flow('voters: 2'), ballot(0, 'no'), ballot(1, 'yes'))?.fault?.code).toBe('vote.undecided')
    const asked = flow('voters: 2, tie: { human: support }')
    expect(resultOf(asked, ballot(0, 'no'), ballot(1, 'yes'), decided('v/tie/1', 'respond', { verdict: 'no' }))?.output).toEqual({
      verdict: 'no',
    })
  })

  it('a judge gets all answers', () => {
    const program = flow('voters: 2, rule: judge, judge: { tool: x/judge, with: { answers: =it } }')
    const judged = given(program, start, ballot(1, 'no')).when(ballot(0, 'yes'))
    const command = judged.outputs.find((output) => output.to === 'command')
    expect(command?.to === 'command' && command.command.input).toEqual({ answers: [{ verdict: 'yes' }, { verdict: 'no' }] })
    expect(resultOf(program, ballot(1, 'no'), ballot(0, 'yes'), completed('v/judge/1', { verdict: 'no' }))?.output).toEqual({
      verdict: 'no',
    })
  })
})

describe('countVotes', () => {
  const votes = fc.array(fc.record({ said: fc.constantFrom('a', 'b', 'c'), weight: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 7,
  })

  it('V2: what is decided early is what is decided in the end', () => {
    fc.assert(
      fc.property(votes, fc.constantFrom('majority' as const, 'weighted' as const), fc.nat(), (all, rule, out) => {
        const how = { rule, early: true, weights: all.map(({ weight }) => weight) }
        const some: Ballot[] = all.map((vote, index) => ((out >> index) & 1 ? null : vote))
        const early = countVotes(some, how)
        const late = countVotes(all, how)
        if (early.is !== 'won' || late.is === 'open') return
        expect(late.is === 'won' && all[late.voter]?.said).toBe(all[early.voter]?.said)
      }),
    )
  })
})
