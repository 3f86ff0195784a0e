// The demo: the support product on real questions that its classifier was not trained on. Every figure is counted, none is written here.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toFault } from '@baton/contracts'
import { openApi } from '../api.ts'
import { addDocuments, readDocuments } from '../commands/index-documents.ts'
import { printTrace, type TraceReply } from '../commands/trace.ts'
import { withLocalSystem, type LocalSystem } from '../platform/local-system.ts'
import { bar, openTerminal, type Terminal } from '../terminal.ts'
import { caseOf, readQuestions, requestRecord, type Question } from './questions.ts'
import { figuresOf, printFigures } from './report.ts'
import { reviewSome } from './reviewer.ts'
import { watchRuns, type Watch } from './watch.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const DATA_DIR = join(ROOT, '.baton', 'demo')
const INDEX = 'help'
/** Tasks the scripted reviewer decides; the rest waits, as it would. */
const DECISIONS_MAX = 25
const WAIT_MAX_MS = 60_000
const REVIEW_WAIT_MS = 4_000
const TICK_MS = 100

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until `done` or the time is up, showing progress. */
const followFor = async (
  terminal: Terminal,
  { waitMs, done, line }: { waitMs: number; done: () => boolean; line: () => string },
): Promise<void> => {
  const untilMs = Date.now() + waitMs
  while (!done() && Date.now() < untilMs) {
    terminal.status(line())
    await pause(TICK_MS)
  }
  terminal.status(line())
  terminal.settle()
}

const settledCount = (watch: Watch, questions: readonly Question[]): number =>
  questions.filter((question) => {
    const { runId } = caseOf(question)
    return watch.results.has(runId) || watch.reviews.has(runId)
  }).length

const play = async (terminal: Terminal, system: LocalSystem, questions: readonly Question[]): Promise<void> => {
  const api = openApi(system.url ?? '')
  const documents = await readDocuments(join(ROOT, 'data', 'support', 'documents.jsonl.gz'))
  await addDocuments(api.post, {
    index: INDEX,
    documents,
    onProgress: (count) => terminal.status(`${bar(count / documents.length)} ${count} of ${documents.length} policy documents`),
  })
  terminal.settle()

  const watch = await watchRuns(system.platform.bus)
  terminal.note(`publishing ${questions.length} questions to baton.requests`)
  const startedMs = Date.now()
  await system.platform.bus.publish(questions.map(requestRecord))
  await followFor(terminal, {
    waitMs: WAIT_MAX_MS,
    done: () => settledCount(watch, questions) === questions.length,
    line: () =>
      `${bar(settledCount(watch, questions) / questions.length)} ${watch.results.size} answered, ${watch.reviews.size} handed to people, ${((1_000 * settledCount(watch, questions)) / Math.max(1, Date.now() - startedMs)).toFixed(0)} a second`,
  })
  const seconds = (watch.lastAtMs() - startedMs) / 1_000

  const labels = new Map(
    questions.map((question) => [caseOf(question).runId, { intent: question.category, sensitive: question.sensitive }]),
  )
  // A decision may lead to another task for the same run (what is unknown is also answered by a person), so the reviewer comes twice.
  const decided = new Set<string>()
  for (const visit of ['first', 'second']) {
    const knows = (runId: string) => (visit === 'first' || decided.has(runId) ? labels.get(runId) : undefined)
    for (const runId of await reviewSome(api, { knows, decisionsMax: DECISIONS_MAX })) decided.add(runId)
    const done = (): number => [...decided].filter((runId) => watch.results.has(runId)).length
    await followFor(terminal, {
      waitMs: REVIEW_WAIT_MS,
      done: () => done() === decided.size,
      line: () => `${bar(done() / Math.max(1, decided.size))} ${done()} of ${decided.size} decided by the reviewer are through`,
    })
  }

  const runs = questions.map((question) => {
    const known = caseOf(question)
    const result = watch.results.get(known.runId)
    const review = watch.reviews.get(known.runId)
    return { case: known, ...(result === undefined ? {} : { result }), ...(review === undefined ? {} : { review }) }
  })
  const tickets = await api.get<{ total: number }>('/v1/tickets?limit=1')
  terminal.print(`\n${printFigures(figuresOf(runs), { seconds, tickets: tickets.total })}`)
  const shown = runs.find((run) => run.review !== undefined && run.result !== undefined) ?? runs[0]
  if (shown !== undefined)
    terminal.print(
      `\none run, step by step (* is the critical path)\n${printTrace(await api.get<TraceReply>(`/v1/runs/${shown.case.runId}/trace`))}`,
    )
  await watch.close()
}

const terminal = openTerminal()
try {
  const questions = await readQuestions(join(ROOT, 'data', 'support', 'questions.jsonl'))
  await rm(DATA_DIR, { recursive: true, force: true })
  terminal.note('starting Baton: seven services in one process, embedded log and database')
  const env = { BATON_CONFIG_DIR: join(ROOT, 'config') }
  await withLocalSystem({ flowsDir: join(ROOT, 'flows'), dataDir: DATA_DIR, port: 0, logLevel: 'error', env }, (system) =>
    play(terminal, system, questions),
  )
  terminal.print(`
next:
  npx baton up                               the same system for you, on http://127.0.0.1:8080
  npx baton up --data .baton/demo            the system you just saw, with its runs: baton stats, baton reviews list
  npx baton init hello && npx baton check hello
  OPENAI_BASE_URL=… OPENAI_API_KEY=… npx baton run hello --input '{"text":"…"}'`)
} catch (error) {
  const fault = toFault(error)
  terminal.note(`${fault.code}: ${fault.message}`)
  process.exitCode = 1
}
