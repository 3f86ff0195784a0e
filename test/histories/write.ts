// Writes golden histories into the folder of their engine version, and only those that are not there: a recorded history is never written
// anew. A change of outputs needs a new engine version and folder.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineInput } from '@baton/engine'
import { play, programOf, resultIn, START_MS, type Step } from '@baton/engine/testing'

export type History = { readonly flow: string; readonly steps: readonly Step[] }

export const writeHistories = (engineVersion: number, histories: Readonly<Record<string, History>>): void => {
  const folder = join(import.meta.dirname, `v${engineVersion}`)
  mkdirSync(folder, { recursive: true })
  for (const [name, { flow, steps }] of Object.entries(histories)) {
    const file = join(folder, `${name}.json`)
    if (existsSync(file)) continue
    const { plan } = programOf(flow)
    const records = recordsOf(steps, plan.hash)
    const { outputs } = play(programOf(flow), steps)
    process.stdout.write(`${name}: ${resultIn(outputs)?.result.status ?? 'no result'}\n`)
    writeFileSync(file, `${JSON.stringify({ engineVersion, plan, records, outputs }, null, 1)}\n`)
  }
}

const recordsOf = (steps: readonly Step[], planHash: string): readonly EngineInput[] => {
  let atMs = START_MS - 1
  return steps.map((step, offset) => {
    const message = 'message' in step ? step.message : step
    atMs = 'message' in step ? START_MS + step.atMs : atMs + 1
    const pinned = message.name === 'run.requested' ? { name: message.name, data: { ...message.data, planHash } } : message
    return { message: pinned, atMs, partition: 3, offset }
  })
}
