// Plays seeded histories and prints what they met: `main.ts [--seeds N] [--from N] [--jobs J]` for many, `main.ts --seed N [--trace]` for
// one. A failing one prints the line that repeats it and, on its own, the smallest history found that fails alike.
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { parseArgs } from 'node:util'
import { shrink } from './shrink.ts'
import { simulate } from './simulation.ts'
import { tableOf, type Totals } from './table.ts'

const { values } = parseArgs({
  args: isMainThread ? process.argv.slice(2) : [],
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: '160' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const whole = (name: 'seed' | 'seeds' | 'from' | 'steps' | 'jobs', fallback: number): number => {
  const number = Number(values[name] ?? fallback)
  if (Number.isInteger(number) && number >= 0) return number
  process.stderr.write(`--${name} must be a whole number\n`)
  process.exit(2)
}

type Job = { readonly first: number; readonly step: number; readonly last: number; readonly steps: number }
const wordOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Plays every `step`th seed. */
const playAll = async ({ first, step, last, steps }: Job): Promise<Totals> => {
  const totals: Totals = { seeds: 0, records: 0, runs: 0, published: 0, repeated: 0, takeovers: 0, tally: new Map(), failures: [] }
  for (let seed = first; seed <= last; seed += step) {
    totals.seeds += 1
    try {
      const { runs, records, published, repeated, takeovers, tally } = await simulate({ seed, steps })
      totals.runs += runs
      totals.records += records
      totals.published += published
      totals.repeated += repeated
      totals.takeovers += takeovers
      for (const [what, often] of tally) totals.tally.set(what, (totals.tally.get(what) ?? 0) + often)
    } catch (error) {
      totals.failures.push([seed, wordOf(error).slice(0, 600)])
    }
  }
  return totals
}

const playInParallel = (jobs: number, job: Job): Promise<readonly Totals[]> =>
  Promise.all(
    Array.from(
      { length: jobs },
      (_, index) =>
        new Promise<Totals>((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: { ...job, first: job.first + index, step: jobs } })
          worker.once('message', resolve)
          worker.once('error', reject)
        }),
    ),
  )

const one = async (seed: number, steps: number): Promise<void> => {
  try {
    const { runs, records, published, takeovers, simulatedMs } = await simulate({ seed, steps, ...(values.trace ? { trace: say } : {}) })
    say(`seed ${seed}: ${runs} runs, ${records} records, ${published} events, ${takeovers} takeovers, ${Math.round(simulatedMs / 1_000)} s`)
  } catch (error) {
    say(`seed ${seed} failed: ${wordOf(error)}`)
    process.exitCode = 1
    const small = await shrink(seed, steps)
    if (small === undefined) return
    say(`as small as it gets: ${small.steps} steps, without ${small.without.join(', ') || 'leaving out a fault'}`)
    say(small.message)
    if (small.flow !== undefined) say(JSON.stringify(small.flow.flow, null, 1))
  }
}

const many = async (count: number, steps: number): Promise<void> => {
  const first = whole('from', 1)
  const startedMs = performance.now()
  const all = await playInParallel(Math.max(1, whole('jobs', 2)), { first, step: 1, last: first + count - 1, steps })
  const failures = all.flatMap(({ failures: own }) => own)
  for (const line of tableOf(all, performance.now() - startedMs)) say(line)
  for (const [seed, message] of failures.slice(0, 10))
    say(`${message}\n  npm run proof:simulate -- --seed ${seed}${steps === 160 ? '' : ` --steps ${steps}`}`)
  if (failures.length > 0) process.exitCode = 1
}

if (!isMainThread) parentPort?.postMessage(await playAll(workerData as Job))
else if (values.help) say('simulate [--seeds N [--from N] [--jobs J]] [--seed N [--trace]] [--steps M]: plays histories of M steps')
else if (values.seed === undefined) await many(whole('seeds', 200), whole('steps', 160))
else await one(whole('seed', 1), whole('steps', 160))
