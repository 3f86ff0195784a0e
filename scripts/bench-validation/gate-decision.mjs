// What a gate costs that asks no model: a flow of many steps with nothing to do but their gates, decided by the real engine in memory. The
// figure is that of a step and its gate together, journal events included; nothing is stored or sent.
import { compileFlow, formatDiagnostic, loadProgram } from '../../libs/flow/src/index.ts'
import { runInMemory } from '../../libs/engine/src/memory/memory-run.ts'
import { requested } from '../../libs/engine/src/testing.ts'

export const title = 'Gate decision without a model'
export const not = 'the bus and the database that a decision goes to (bench:engine has those).'

const STEPS = 100
const flow = `flow: bench/gates@1.0.0
limits: { time: 1h, steps: 1000 }
params: { send: { type: number, default: 0.8, min: 0, max: 1 } }
input: { confidence: number, sensitive: boolean, country: string }
steps:
${Array.from(
  { length: STEPS },
  (_, at) => `  - s${at}:
      set: { confidence: =input.confidence, country: =input.country, lines: [1, 2, 3] }
      gate:
        - { when: 'it.confidence >= params.send && it.country in ["DE", "FR"]', then: fail }
        - { when: 'input.sensitive || it.lines.exists(l, l > 3)', then: fail }
        - { when: it.confidence < 0.1, then: fail }
        - { else: next }`,
).join('\n')}
output: { done: true }
`

const programOf = (text) => {
  const result = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml' })
  if (!result.ok) throw new Error(result.diagnostics.map(formatDiagnostic).join('\n'))
  return loadProgram(result.plan)
}

export const run = async ({ quick }) => {
  const program = programOf(flow)
  const ports = { nowMs: () => 1_700_000_000_000, sleep: async () => {}, work: async () => ({ output: null }) }
  let decided = 0
  const once = async (at) => {
    const { data } = requested({ confidence: 0.4, sensitive: false, country: 'DE' })
    const result = await runInMemory(
      {
        ...data,
        runId: `run_${at}`,
        flow: program.plan.flow,
        version: program.plan.version,
        planHash: program.plan.hash,
        params: { send: 0.8 },
      },
      { program, ports: { ...ports, onJournal: ({ name }) => (decided += name.endsWith('.decided') ? 1 : 0) } },
    )
    if (result.status !== 'completed') throw new Error(`the flow of the bench ended ${result.status}: ${result.fault?.message}`)
  }
  const rounds = quick ? 5 : 30
  for (let round = 0; round < rounds; round++) await once(round)
  decided = 0
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++) await once(rounds + round)
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1_000 / rounds / STEPS
  return [
    {
      what: `CPU of a step with a gate of four rules, mean of ${rounds * STEPS}`,
      must: '≤ 0.3 ms',
      seen: `${ms.toFixed(3)} ms`,
      ok: ms <= 0.3,
    },
    { what: 'gates that decided', must: String(rounds * STEPS), seen: String(decided), ok: decided === rounds * STEPS },
  ]
}
