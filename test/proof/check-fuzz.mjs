// The nightly fuzzing of the checker: mutated real flows for some time; prints seed, counts and the slowest input.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { compileFlow } from '@baton/flow'
import { readCases, readFlows } from './check-corpus.ts'
import { flawsOf, mutate, mutated } from './check-fuzz.ts'

const root = join(import.meta.dirname, '..', '..')
const corpus = join(root, 'test', 'flows')
/** Longest time for one input; many times what the slowest takes, so that only a hang or an explosion goes beyond it. */
const INPUT_MS_MAX = 5_000
const ROUND = 200

const options = { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 2 ** 31) } }

export const main = async (args) => {
  const { values } = parseArgs({ args, options })
  const flows = [...readCases(join(corpus, 'right')), ...readFlows(join(root, 'flows'))].filter(({ files, entry }) => files.has(entry))
  const seed = Number(values.seed)
  const endMs = performance.now() + Number(values.seconds) * 1_000
  const counts = { inputs: 0, plans: 0, refused: 0, slowestMs: 0 }
  const codes = new Map()
  let slowest = ''
  const check = ({ flow, changes }) => {
    const { files, entry, name } = flows[flow]
    const text = mutate(files.get(entry), changes)
    const start = performance.now()
    const changed = new Map([...files, [entry, text]])
    const result = compileFlow({ files: changed, entry })
    const tookMs = performance.now() - start
    counts.inputs += 1
    counts[result.ok ? 'plans' : 'refused'] += 1
    for (const { code } of result.diagnostics) codes.set(code, (codes.get(code) ?? 0) + 1)
    for (const flaw of flawsOf(changed, result)) throw new Error(`${name}: ${flaw}`)
    if (tookMs > counts.slowestMs) {
      counts.slowestMs = tookMs
      slowest = text
    }
    if (tookMs > INPUT_MS_MAX) throw new Error(`${name}: one check took ${tookMs.toFixed(0)} ms`)
  }
  console.log(`seed ${seed}, ${flows.length} flows, ${values.seconds} s`)
  for (let round = 0; performance.now() < endMs; round += 1) {
    const outcome = fc.check(fc.property(mutated(flows.length), check), {
      seed: seed + round,
      numRuns: ROUND,
      interruptAfterTimeLimit: Math.max(1, endMs - performance.now()),
    })
    if (outcome.failed && outcome.counterexample !== null) {
      const [{ flow, changes }] = outcome.counterexample
      const text = mutate(flows[flow].files.get(flows[flow].entry), changes)
      const folder = join(root, '.cache', 'fuzz')
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `${seed + round}.yaml`), text)
      console.log(
        `FAIL ${flows[flow].name}, seed ${seed + round}: ${outcome.errorInstance?.stack ?? outcome.error}\ninput kept in .cache/fuzz/${seed + round}.yaml`,
      )
      return 1
    }
  }
  console.log(
    `PASS ${counts.inputs} inputs: ${counts.plans} plans, ${counts.refused} refused with ${codes.size} codes, no exception; slowest ${counts.slowestMs.toFixed(0)} ms (${slowest.length} characters)`,
  )
  console.log(
    [...codes]
      .sort((a, b) => b[1] - a[1])
      .map(([code, count]) => `${code} ${count}`)
      .join(', '),
  )
  return 0
}
