import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { decide, decodeState, encodeState, type EngineInput, type Output, type RunState } from '@baton/engine'
import { loadProgram } from '@baton/flow'
import type { Plan } from '@baton/flow/plan'

type History = {
  readonly engineVersion: number
  readonly plan: Plan
  readonly records: readonly EngineInput[]
  readonly outputs: readonly Output[]
}
const folder = join(import.meta.dirname, 'histories')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'))

/** Decides a history, keeping the state as text between records where `stored` says so. */
const replay = ({ plan, records }: History, stored: boolean): readonly Output[] => {
  const program = loadProgram(plan)
  let state: RunState | undefined
  return records.flatMap((record) => {
    const decision = decide(state !== undefined && stored ? decodeState(encodeState(state)) : state, record, program)
    state = decision.state
    return decision.outputs
  })
}

describe('golden histories', () => {
  it.each(files)('R1: %s is decided today as it was when it was recorded', (file) => {
    const history: History = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    // Through text: what cannot be written down does not count.
    expect(JSON.parse(JSON.stringify(replay(history, true)))).toEqual(history.outputs)
  })

  it.each(files)('S2: %s is decided alike with the state in memory', (file) => {
    const history: History = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    expect(JSON.parse(JSON.stringify(replay(history, false)))).toEqual(history.outputs)
  })
})
