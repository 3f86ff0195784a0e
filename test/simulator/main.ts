// Plays seeded histories: `main.ts [--seed N] [--steps M] [--count C] [--trace]`. A failing one prints the line that repeats it.
import { parseArgs } from 'node:util'
import type { Tally } from './promises.ts'
import { simulate } from './simulation.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '1500' },
    count: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const whole = (name: 'seed' | 'steps' | 'count', fallback: number): number => {
  const number = Number(values[name] ?? fallback)
  if (Number.isInteger(number) && number >= 0) return number
  process.stderr.write(`--${name} must be a whole number\n`)
  process.exit(2)
}

if (values.help) {
  say('simulate [--seed N] [--steps M] [--count C] [--trace]: plays C histories of M steps, from seed N on')
  process.exit(0)
}
const first = whole('seed', 1)
const steps = whole('steps', 1_500)
const count = whole('count', 1)
const seen: Tally = new Map()
for (let seed = first; seed < first + count; seed += 1) {
  try {
    const { runs, published, repeated, takeovers, simulatedMs, tally } = await simulate({
      seed,
      steps,
      ...(values.trace ? { trace: say } : {}),
    })
    for (const [what, often] of tally) seen.set(what, (seen.get(what) ?? 0) + often)
    const events = `${published} events and ${repeated} repeats published`
    say(`seed ${seed}: ${runs} runs, ${events}, ${takeovers} takeovers, ${Math.round(simulatedMs / 1_000)} s`)
  } catch (error) {
    say(`seed ${seed} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    say(`npm run simulate -- --seed ${seed} --steps ${steps}`)
    process.exitCode = 1
    break
  }
}
for (const [what, often] of [...seen].sort(([left], [right]) => (left < right ? -1 : 1))) say(`${String(often).padStart(8)} ${what}`)
