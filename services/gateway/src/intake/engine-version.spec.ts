import { describe, expect, it } from '@jest/globals'
import { ENGINE_VERSION } from '@baton/engine'
import { compileFlow } from '@baton/flow'
import type { Platform } from '@baton/service'
import { createEngineVersion, engineNeededBy } from './engine-version.ts'

const planOf = (steps: string) => {
  const compiled = compileFlow({ files: new Map([['f.yaml', `steps:\n${steps}`]]), entry: 'f.yaml' })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  return compiled.plan
}
const plain = planOf('  - a: { tool: x/y }\n')
const guarded = planOf('  - a: { tool: x/y, guard: [pii] }\n')
const timed = planOf('  - a: { map: "=[1]", each: { tool: x/y }, timeout: 5s }\n')
const composed = planOf('  - a: { map: "=[1]", each: { tool: x/y } }\n')

/** An installation that gives this version, and counts how often it was asked. */
const installed = (version: () => number | undefined) => {
  const clock = { ms: 0, asked: 0 }
  const leases = { engineVersion: () => Promise.resolve((clock.asked++, version())) }
  // The version is all that is looked at of stores and configuration.
  const platform = { stores: { leases }, config: { topicPrefix: '' }, nowMs: () => clock.ms } as unknown as Platform
  return { clock, engine: createEngineVersion(platform) }
}

describe('the engine of new runs (L2)', () => {
  it('is the one the installation says, whatever this binary has', async () => {
    expect(await installed(() => 1).engine.forPlan(plain)).toBe(1)
    expect(await installed(() => 2).engine.forPlan(plain)).toBe(2)
    expect(await installed(() => undefined).engine.forPlan(composed)).toBe(ENGINE_VERSION)
  })

  it('has to have what the plan needs', async () => {
    expect([plain, composed, planOf('  - a: { tool: x/y, undo: { tool: x/z } }\n')].map(engineNeededBy)).toEqual([1, 2, 2])
    expect([guarded, timed].map(engineNeededBy)).toEqual([3, 3])
    expect(
      engineNeededBy(
        planOf('  - a: { prompt: hi, returns: { text: string }, gate: [{ when: it.leftOut.size() > 0, then: fail }, { else: next }] }\n'),
      ),
    ).toBe(4)
    await expect(installed(() => 2).engine.forPlan(guarded)).rejects.toMatchObject({ code: 'engine.unsupported' })
    await expect(installed(() => 1).engine.forPlan(composed)).rejects.toMatchObject({ code: 'engine.unsupported' })
  })

  it('is asked for again after a while, so that raising it needs no restart', async () => {
    let version = 1
    const { clock, engine } = installed(() => version)
    await engine.forPlan(plain)
    version = 2
    expect(await engine.forPlan(plain)).toBe(1)
    clock.ms = 10_000
    expect(await engine.forPlan(plain)).toBe(2)
    expect(clock.asked).toBe(2)
  })
})
