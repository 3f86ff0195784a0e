// Who asks: runs of one tree have their place in it, whatever their ids are, and every question at a place its number.
import type { StepCommand } from '@baton/contracts'
import type { Output } from '@baton/engine'
import type { Question } from './answers.ts'

export type Tree = {
  /** An output is published, perhaps again. */
  readonly see: (output: Output) => void
  readonly root: (runId: string, name: string) => void
  readonly placeOf: (runId: string) => string
  readonly question: (command: StepCommand) => Question
  /** Everything a run has asked for: `path#number`. */
  readonly asked: (runId: string) => readonly string[]
}

export const createTree = (seed: number): Tree => {
  const places = new Map<string, string>()
  /** By run and path, the calls in the order in which they were asked for. */
  const calls = new Map<string, Map<string, string[]>>()
  const placeOf = (runId: string): string => places.get(runId) ?? runId
  const numberOf = (runId: string, path: string, effectKey: string): number => {
    const paths = calls.get(runId) ?? new Map<string, string[]>()
    calls.set(runId, paths)
    const keys = paths.get(path) ?? []
    paths.set(path, keys)
    const known = keys.indexOf(effectKey)
    return known < 0 ? keys.push(effectKey) : known + 1
  }
  return {
    root: (runId, name) => void places.set(runId, name),
    placeOf,
    see: (output) => {
      if (output.to === 'command' || output.to === 'task') numberOf(output.command.runId, output.command.path, output.command.effectKey)
      if (output.to !== 'log' || output.message.name !== 'run.requested') return
      const { runId, parent, effectBase = '', reuse } = output.message.data
      if (parent !== undefined) {
        const number = numberOf(parent.runId, parent.path, effectBase)
        places.set(runId, `${placeOf(parent.runId)}>${parent.path}#${number}`)
      } else if (reuse !== undefined) places.set(runId, `again ${runId}`)
    },
    question: ({ runId, path, effectKey, kind, nodeId, input, turn, call, guard, answered }) => ({
      seed,
      place: `${placeOf(runId)}>${path}`,
      call: numberOf(runId, path, effectKey),
      kind,
      nodeId,
      input,
      ...(turn === undefined
        ? {}
        : { turn: { agent: turn.agent, turn: turn.turn, use: turn.use, tools: turn.tools, results: turn.results } }),
      ...(call === undefined ? {} : { tool: call.tool }),
      ...(guard === undefined ? {} : { guard: guard.on }),
      ...(answered === undefined ? {} : { answered: { verdict: answered.verdict, output: answered.output } }),
    }),
    asked: (runId) => [...(calls.get(runId) ?? [])].flatMap(([path, keys]) => keys.map((_, index) => `${path}#${index + 1}`)).sort(),
  }
}
