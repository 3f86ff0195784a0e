// What a step costs late in a long run against early in it: one run of 10,000 steps on the embedded product, watched on its journal.
// The two windows are of one run, so the machine is the same for both; runs before warm the compiler up.
import { FLOWS_DIR } from '../distributed.mjs'
import { runEmbedded } from '../embedded-client.mjs'
import { ratioInterval } from '../figures.mjs'
import { f, saidInterval, say, verdict } from './report.mjs'

const STEPS = 10_000
const WINDOW = 1_000
const EARLY = 10
const MUST = 1.2
const JOB = { flow: 'bench/deep', input: (v) => ({ v }), right: ({ v }) => v === 100 }

/** Notes when the steps of the run at hand were done, and what the process had used by then. */
const watch = async (bus) => {
  const marks = new Map([EARLY, EARLY + WINDOW, STEPS - WINDOW, STEPS].map((step) => [step, undefined]))
  let done = 0
  const reader = await bus.log({
    topic: 'baton.journal',
    onBatch: (_partition, records) => {
      for (const { headers, value } of records) {
        if (headers.ce_type !== 'baton.journal.step.completed.v1' || !value.includes('/step')) continue
        done += 1
        if (marks.has(done)) marks.set(done, { ms: performance.now(), cpu: process.cpuUsage() })
      }
    },
    onFault: (_partition, fault) => {
      throw new Error(fault.message)
    },
  })
  const { partitions } = await bus.describe('baton.journal')
  await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
  const between = (from, to) => {
    const [before, after] = [marks.get(from), marks.get(to)]
    if (before === undefined || after === undefined) throw new Error(`${done} steps were seen, not ${STEPS}`)
    const cpuUs = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
    return { ms: (after.ms - before.ms) / WINDOW, cpuMs: cpuUs / 1_000 / WINDOW }
  }
  return {
    begin: () => void (done = 0),
    seen: () => done,
    early: () => between(EARLY, EARLY + WINDOW),
    late: () => between(STEPS - WINDOW, STEPS),
    close: () => reader.close(),
  }
}

export const runDepth = async ({ pairs }) => {
  say(`\none run of ${STEPS} steps (100 rounds of 100), embedded: steps ${EARLY} to ${EARLY + WINDOW} against the last ${WINDOW}`)
  const system = await runEmbedded({ flowsDir: FLOWS_DIR })
  try {
    const load = await system.load(JOB)
    const journal = await watch(system.platform.bus)
    const rounds = []
    for (let pair = 0; pair <= pairs; pair += 1) {
      journal.begin()
      await load.measure({ count: 1, concurrency: 1 })
      if (pair === 0) continue // warms up
      const [early, late] = [journal.early(), journal.late()]
      rounds.push({ time: late.ms / early.ms, cpu: late.cpuMs / early.cpuMs })
      say(
        `  run ${pair}: early ${f(early.ms)} ms and ${f(early.cpuMs)} CPU-ms a step, late ${f(late.ms)} ms and ${f(late.cpuMs)}; ratios ${f(late.ms / early.ms)} and ${f(late.cpuMs / early.cpuMs)}`,
      )
    }
    await journal.close()
    await load.close()
    return ['time', 'cpu'].map((what) => {
      const interval = ratioInterval(rounds.map((round) => round[what]))
      const ok = interval.mean <= MUST
      say(`${verdict(ok)} step ${STEPS} against step ${EARLY}, ${what}: ${saidInterval(interval, rounds.length)} times; must ${MUST}`)
      return ok
    })
  } finally {
    await system.stop()
  }
}
