// R10: a run that goes on for long has a state no larger than one that has just begun. A loop whose body has steps of all kinds is
// played round after round, every answer at once.
import { decide, encodeState, type EngineInput, type LogMessage, type Output, type RunState } from '@baton/engine'
import { programOf, requested, RUN, START_MS } from '@baton/engine/testing'
import type { Program } from '@baton/flow/program'
import { answerOf } from './answers.ts'
import { createTree, type Tree } from './tree.ts'

/** Characters of the state, the most in each round. */
export type Sizes = readonly number[]

type Command = Extract<Output, { to: 'command' }>['command']

const answerTo = (tree: Tree, command: Command): LogMessage => {
  const { runId, attemptId, kind } = command
  const question = tree.question(command)
  // Nothing fails: what fails ends the loop.
  let answer = answerOf(question)
  for (let seed = 1; answer.is !== 'output'; seed += 1) answer = answerOf({ ...question, seed })
  const { output, by, turn } = answer
  const given = output ?? { n: 0.5, ok: true, t: '' }
  if (kind === 'human')
    return {
      name: 'review.decided',
      data: { runId, attemptId, taskId: attemptId, verdict: 'edit', output: given, by, fingerprint: '', decidedAtMs: START_MS },
    }
  return { name: 'step.completed', data: { runId, attemptId, output: given, by, ...(turn === undefined ? {} : { turn }) } }
}

const roundIn = (path: string): number => Number(/^l\[(\d+)\]/.exec(path)?.[1] ?? 0)

/** Plays `rounds` rounds of a body, given in the flow language. */
export const sizesOf = (body: string, rounds: number, more = ''): Sizes => {
  const program: Program = programOf(
    `limits: { steps: 100000, total: 30d, time: 20d, calls: 100000 }\n${more}\nsteps:\n  - l: { loop: ${rounds}, do: ${body} }\n`,
  )
  const tree = createTree(1)
  const sizes: number[] = []
  const queue: LogMessage[] = [requested({}, { engineVersion: 4, planHash: program.plan.hash, flows: {} })]
  let state: RunState | undefined
  let round = 0
  for (let offset = 0; offset < 100_000; offset += 1) {
    const message = queue.shift() ?? { name: 'timer.matured' as const, data: { runId: RUN, timerId: 'wake', dueAtMs: START_MS } }
    // Far enough apart for a short wait to be over, near enough for the limits of time.
    const input: EngineInput = { message, atMs: START_MS + offset * 1_000, partition: 0, offset }
    const decision = decide(state, input, program)
    state = decision.state
    for (const output of decision.outputs) {
      tree.see(output)
      if (output.to === 'log') queue.push(output.message)
      if (output.to !== 'command' && output.to !== 'task') continue
      round = Math.max(round, roundIn(output.command.path))
      queue.push(answerTo(tree, output.command))
    }
    if (state === undefined || state.status === 'ended') return sizes
    sizes[round] = Math.max(sizes[round] ?? 0, encodeState(state).length)
  }
  throw new Error(`${sizes.length} of ${rounds} rounds`)
}
