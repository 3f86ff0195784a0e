// A flow run in a test: in memory, with a clock on which days take no time, and with scripts for models, tools, services and people.
//   F1. The same test gives the same run, whatever the machine: no clock, no randomness, no network.
import { Fault } from '@baton/contracts/fault'
import { type Json, type JsonObject } from '@baton/contracts/json'
import type { MessageOf, RunResult } from '@baton/contracts'
import { createFakeClock, ENGINE_VERSION, MemoryRuns, type FakeClock, type JournalMessage } from '@baton/engine/memory'
import { compileData, compileFlow, formatDiagnostic, loadProgram, resolveParams, type CompileResult, type FlowData } from '@baton/flow'
import type { Plan } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import { problemOf } from './fit.ts'
import { passedOf, pathText, type Passed } from './path.ts'
import { refuseUnknown } from './script/names.ts'
import { BrokenTest, Scripts, type AllAnswers, type Answers, type People } from './script/scripts.ts'
import { millisecondsOf, type Time } from './units.ts'
import type { AskedOf, PersonAsked } from './work/asking.ts'
import { scriptedWork } from './work/work.ts'

/** A flow as data, as the builder makes it, as files by path, or compiled. */
export type FlowSource =
  | { readonly flow: FlowData | { readonly data: FlowData } }
  | { readonly files: ReadonlyMap<string, string> | { readonly [path: string]: string }; readonly entry?: string }
  | { readonly plan: Plan }

/** Something that happens outside while the run goes on, `at` a time after its start. */
export type Happening = { readonly at?: Time; readonly by?: string } & (
  | { readonly event: string; readonly data?: Json; readonly id?: string }
  | { readonly do: 'pause' | 'resume' | 'cancel'; readonly reason?: string }
  | { readonly do: 'patch'; readonly input?: JsonObject; readonly params?: JsonObject }
)

/** What a test says of the world. Names are those of steps, or of models, tools, queues, indexes, tasks and checks. */
export type Scripted = {
  /** By step, or by who is asked. */
  readonly answers?: Answers
  readonly models?: Answers
  readonly tools?: Answers
  readonly indexes?: Answers
  readonly tasks?: Answers
  readonly checks?: Answers
  readonly agents?: Answers
  /** By step or queue. */
  readonly people?: People
  readonly events?: readonly Happening[]
  readonly params?: JsonObject
  /** When the run starts: milliseconds since 1970, or a date. */
  readonly now?: number | string
}
export type FlowTestOptions = FlowSource &
  Scripted & {
    /** Flows that steps start, by the name they use. One that has no source here is scripted by its name. */
    readonly flows?: { readonly [name: string]: FlowSource }
  }

/** What a run came to. */
export type TestRun = {
  readonly status: RunResult['status']
  readonly output: Json | undefined
  readonly fault: RunResult['fault']
  readonly degraded: readonly string[]
  /** The way it took, in order: `classify`, `facts: refund`, `docs: tool.failed`. */
  readonly path: readonly string[]
  /** Every asking of a model, tool, service or person. */
  readonly asked: readonly AskedOf[]
  readonly people: readonly PersonAsked[]
  readonly costUsd: number
  readonly steps: number
  /** From the request to the result, on the clock of the test. */
  readonly durationMs: number
  /** Events that the flow sent into the world. */
  readonly emitted: readonly { readonly topic: string; readonly type: string; readonly key: string; readonly data: Json }[]
  readonly journal: readonly JournalMessage[]
  /** The same as `path`, for programs. */
  readonly way: readonly Passed[]
  readonly result: RunResult
}

export type FlowTest = {
  readonly plan: Plan
  /** Runs the flow once; what is said here is said beside, and before, what the test says. Rejects where the test is broken. */
  readonly run: (input?: Json, scripted?: Scripted) => Promise<TestRun>
  /** Every run so far. */
  readonly runs: readonly TestRun[]
}

const START = '2026-01-05T09:00:00Z'
const RUN_ID = 'run_test'

/** Opens a flow for tests. Throws what the checker finds wrong with it. */
export const flowTest = (options: FlowTestOptions): FlowTest => {
  const plan = planOf(options)
  const called = calledFlows(plan, options.flows ?? {})
  const plans = [plan, ...Object.values(called.plans)]
  const programs = new Map(plans.map((one) => [one.hash, loadProgram(one)]))
  const runs: TestRun[] = []
  return {
    plan,
    runs,
    run: async (input = {}, scripted = {}) => {
      const all = { ...options, ...scripted, params: { ...options.params, ...scripted.params } }
      const answers = { ...answersOf(options), ...answersOf(scripted) }
      refuseUnknown(Object.keys(answers), plans)
      const run = await runOnce({ plan, called, programs, answers, scripted: all, input })
      runs.push(run)
      return run
    },
  }
}

const answersOf = ({ answers, models, tools, indexes, tasks, checks, agents, people }: Scripted): AllAnswers => ({
  ...models,
  ...tools,
  ...indexes,
  ...tasks,
  ...checks,
  ...agents,
  ...answers,
  ...people,
})

const planOf = (source: FlowSource): Plan => {
  if ('plan' in source) return source.plan
  const compiled = compiledOf(source)
  if (compiled.ok) return compiled.plan
  throw new Fault('flow.invalid', `The flow has mistakes:\n${compiled.diagnostics.map(formatDiagnostic).join('\n')}`)
}

const compiledOf = (source: Exclude<FlowSource, { plan: Plan }>): CompileResult => {
  if ('flow' in source) return compileData(isBuilt(source.flow) ? source.flow.data : source.flow)
  const files = source.files instanceof Map ? source.files : new Map(Object.entries(source.files))
  return compileFlow({ files, entry: source.entry ?? [...files.keys()].find((path) => /^flow\.(ya?ml|json)$/.test(path)) ?? 'flow.yaml' })
}

const isBuilt = (flow: FlowData | { readonly data: FlowData }): flow is { readonly data: FlowData } =>
  'data' in flow && 'step' in flow && typeof flow['step'] === 'function'

type Called = {
  /** Plans by the text of the step. */
  readonly plans: { readonly [text: string]: Plan }
  /** Names under which a flow without a source is scripted, by the hash of the plan that stands in for it. */
  readonly standIns: ReadonlyMap<string, readonly string[]>
}

/** The flows that steps start. One without a source is a task, so that it can be scripted. */
const calledFlows = (plan: Plan, sources: { readonly [name: string]: FlowSource }): Called => {
  const plans: Record<string, Plan> = {}
  const standIns = new Map<string, string[]>()
  const look = (within: Plan): void => {
    for (const node of Object.values(within.nodes)) {
      if (node.kind !== 'flow') continue
      const { flow, version, id, name } = node
      const text = version === undefined ? flow : `${flow}@${version}`
      const source = sources[text] ?? sources[flow]
      if (source === undefined) {
        const called = (plans[text] ??= standInFor(flow))
        const names = standIns.get(called.hash) ?? [flow]
        standIns.set(called.hash, [...names, id, ...(name === null ? [] : [name])])
      } else if (plans[text] === undefined) look((plans[text] = planOf(source)))
    }
  }
  look(plan)
  return { plans, standIns }
}

const standInFor = (flow: string): Plan =>
  planOf({ flow: { flow: `${flow}@1.0.0`, steps: [{ answer: { task: flow.replaceAll('/', '.') } }] } })

type Once = {
  readonly plan: Plan
  readonly called: Called
  readonly programs: ReadonlyMap<string, Program>
  readonly answers: AllAnswers
  readonly scripted: Scripted
  readonly input: Json
}

type Seen = {
  readonly journal: JournalMessage[]
  readonly asked: AskedOf[]
  readonly people: PersonAsked[]
  readonly emitted: TestRun['emitted'][number][]
}

const runOnce = async (once: Once): Promise<TestRun> => {
  const { plan, programs, scripted, called } = once
  const startMs = startOf(scripted.now)
  const seen: Seen = { journal: [], asked: [], people: [], emitted: [] }
  let give: (error: unknown) => void = () => undefined
  const broken = new Promise<never>((_resolve, reject) => (give = reject))
  broken.catch(() => undefined)
  const clock = createFakeClock({ startMs, onStuck: () => give(stuck(seen)) })
  const work = scriptedWork({
    clock,
    scripts: new Scripts(once.answers),
    planOf: (hash) => programs.get(hash)?.plan ?? plan,
    standIns: called.standIns,
    onAsked: (asked) => void seen.asked.push(asked),
    onPerson: (person) => void seen.people.push(person),
  })
  const program = programs.get(plan.hash)
  if (program === undefined) throw new Error('the flow itself is not loaded')
  const runs = new MemoryRuns({
    program,
    ports: {
      ...clock,
      programs: (hash) => programs.get(hash),
      onJournal: (event) => void seen.journal.push(event),
      onEmit: ({ topic, type, key, data }) => void seen.emitted.push({ topic, type, key, data }),
      work: (command, node, signal) =>
        work(command, node, signal).catch((error: unknown) => {
          if (!(error instanceof Fault)) give(error)
          throw error
        }),
    },
  })
  const outside = happen(runs, clock, scripted.events ?? [])
  try {
    return testRunOf(await Promise.race([runs.start(requestOf(once, startMs)), broken]), seen)
  } finally {
    outside.abort()
    runs.close()
  }
}

const stuck = ({ journal }: Seen): BrokenTest => {
  const [last] = journal.slice(-1)
  const path = last !== undefined && 'path' in last.data ? ` after ${String(last.data.path)}` : ''
  return new BrokenTest(`The run waits${path}, and nothing will ever happen: no answer, no event and no time limit is left.`)
}

const startOf = (now: number | string = START): number => {
  const ms = typeof now === 'number' ? now : Date.parse(now)
  if (Number.isFinite(ms)) return ms
  throw new BrokenTest(`now: ${JSON.stringify(now)} is no date; write 2026-01-05T09:00:00Z.`)
}

const requestOf = ({ plan, called, scripted, input }: Once, requestedAtMs: number): MessageOf<'run.requested'> => {
  const { flow, version, hash: planHash } = plan
  const given = JSON.parse(JSON.stringify(input)) as Json // JSON of JSON is JSON
  const problem = problemOf(given, plan.input, { defaults: true })
  if (problem !== undefined) throw new Fault('input.invalid', `The input does not fit: ${problem}.`)
  const flows: NonNullable<MessageOf<'run.requested'>['flows']> = {}
  for (const [text, one] of Object.entries(called.plans))
    flows[text] = { flow: one.flow, version: one.version, planHash: one.hash, params: { ...resolveParams(one) } }
  return {
    runId: RUN_ID,
    requestId: 'test',
    tenant: 'default',
    source: 'test',
    flow,
    version,
    planHash,
    engineVersion: ENGINE_VERSION,
    params: resolveParams(plan, scripted.params),
    input: given,
    priority: 'normal',
    labels: {},
    requestedAtMs,
    repeat: false,
    flows,
  }
}

/** Sends what happens outside at its time, one after the other. */
const happen = (runs: MemoryRuns, clock: FakeClock, events: readonly Happening[]): AbortController => {
  const over = new AbortController()
  for (const [index, event] of events.entries()) {
    const atMs = millisecondsOf(event.at ?? 0)
    if (atMs === undefined) throw new BrokenTest(`at: ${JSON.stringify(event.at)} is no time; write 500ms, 5s, 120m, 2h or 3d.`)
    void clock.during(async () => {
      await clock.sleep(atMs, over.signal)
      if (!over.signal.aborted) runs.send(messageOf(event, index))
    })
  }
  return over
}

const messageOf = (event: Happening, index: number): Parameters<MemoryRuns['send']>[0] => {
  const by = event.by ?? 'test'
  if ('event' in event) {
    return {
      name: 'run.event',
      data: { runId: RUN_ID, eventId: event.id ?? `event-${index}`, event: event.event, data: event.data ?? null, by },
    }
  }
  if (event.do === 'patch') {
    const { input, params } = event
    return {
      name: 'run.patch',
      data: { runId: RUN_ID, by, ...(input === undefined ? {} : { input }), ...(params === undefined ? {} : { params }) },
    }
  }
  if (event.do === 'cancel') return { name: 'run.cancel', data: { runId: RUN_ID, by, reason: event.reason ?? 'as the test says' } }
  return { name: event.do === 'pause' ? 'run.pause' : 'run.resume', data: { runId: RUN_ID, by } }
}

const testRunOf = (result: RunResult, { journal, asked, people, emitted }: Seen): TestRun => {
  const way = journal.flatMap((event) => passedOf(event) ?? [])
  return {
    status: result.status,
    output: result.output,
    fault: result.fault,
    degraded: result.degraded ?? [],
    path: way.map(pathText),
    asked,
    people,
    costUsd: result.metrics.costUsd,
    steps: result.metrics.steps,
    durationMs: result.metrics.latencyMs,
    emitted,
    journal,
    way,
    result,
  }
}
