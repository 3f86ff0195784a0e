// What a test expects of a run, and the first thing that is otherwise. Nothing here knows a test runner.
import { AssertionError } from 'node:assert'
import { isJsonObject, type Json } from '@baton/contracts/json'
import { didYouMean } from '@baton/flow'
import type { TestRun } from './flow-test.ts'
import { firstMissing, isPassed, isPath } from './path.ts'
import { inWords, microUsdOf, millisecondsOf, type Time } from './units.ts'

/** `0.05 USD`, or with a comparison: `<= 0.05 USD`. */
type Bound = number | string

/** Everything that can be expected of a run; what is absent is not looked at. */
export type Expected = {
  readonly status?: TestRun['status']
  /** Fields that the output has; those of objects inside likewise. */
  readonly output?: Json
  /** These, in this order; others may lie between them. */
  readonly path?: readonly string[]
  readonly notPath?: readonly string[]
  /** Steps, models, tools, queues that were asked. */
  readonly asked?: readonly string[]
  readonly notAsked?: readonly string[]
  /** Steps or queues whose people were asked, these and no others. */
  readonly people?: readonly string[]
  readonly cost?: Bound
  readonly steps?: Bound
  readonly duration?: Time
  /** Codes of faults that were made good for. */
  readonly degraded?: readonly string[]
  /** Code, or part of the message. */
  readonly fault?: string
  /** Topics or types that were sent, in this order. */
  readonly emitted?: readonly string[]
}

/** What is otherwise than expected. */
export type Difference = { readonly what: string; readonly message: string; readonly expected: unknown; readonly actual: unknown }

/** The differences of a run, in the order in which they are looked at. */
export const differencesOf = (run: TestRun, expected: Expected): readonly Difference[] =>
  CHECKS.flatMap((check) => check(run, expected) ?? [])

type Check = (run: TestRun, expected: Expected) => Difference | undefined

const because = ({ fault }: TestRun): string => (fault === undefined ? '' : ` (${fault.code}: ${fault.message})`)

const CHECKS: readonly Check[] = [
  (run, { status }) =>
    status === undefined || run.status === status
      ? undefined
      : { what: 'status', message: `the run ${run.status}, not ${status}${because(run)}`, expected: status, actual: run.status },
  (run, { fault }) => {
    if (fault === undefined || run.fault?.code === fault || run.fault?.message.includes(fault) === true) return undefined
    const actual = run.fault === undefined ? 'no fault' : `${run.fault.code}: ${run.fault.message}`
    return { what: 'fault', message: `${actual}, not ${fault}`, expected: fault, actual }
  },
  (run, { path }) => {
    const missing = path === undefined ? undefined : firstMissing(run.way, path)
    if (path === undefined || missing === undefined) return undefined
    const line = path[missing] ?? ''
    const elsewhere = run.way.some((passed) => isPassed(passed, line)) ? ' at that point, only before' : didYouMean(line, run.path)
    const after = missing === 0 ? '' : ` after ${path[missing - 1] ?? ''}`
    return { what: 'path', message: `the run did not pass ${line}${after}${elsewhere}`, expected: path, actual: run.path }
  },
  (run, { notPath = [] }) => {
    const line = notPath.find((one) => run.way.some((passed) => isPassed(passed, one)))
    return line === undefined ? undefined : { what: 'notPath', message: `the run passed ${line}`, expected: notPath, actual: run.path }
  },
  (run, { asked = [] }) => {
    const name = asked.find((one) => !isAsked(run, one))
    return name === undefined ? undefined : { what: 'asked', message: `${name} was not asked`, expected: asked, actual: namesAsked(run) }
  },
  (run, { notAsked = [] }) => {
    const name = notAsked.find((one) => isAsked(run, one))
    return name === undefined ? undefined : { what: 'notAsked', message: `${name} was asked`, expected: notAsked, actual: namesAsked(run) }
  },
  (run, { people }) => {
    if (people === undefined) return undefined
    const actual = run.people.map(({ step, queue }) => (people.includes(queue) ? queue : step))
    const wrong = people.find((one) => !run.people.some(({ path, queue }) => queue === one || isPath(path, one)))
    const more = run.people.find(({ path, queue }) => !people.some((one) => queue === one || isPath(path, one)))
    if (wrong === undefined && more === undefined) return undefined
    const message =
      wrong === undefined ? `a person of ${more?.queue ?? ''} was asked by ${more?.step ?? ''}` : `nobody of ${wrong} was asked`
    return { what: 'people', message, expected: people, actual }
  },
  (run, { output }) => {
    const found = output === undefined ? undefined : firstUnlike(output, run.output ?? null, 'output')
    return found === undefined ? undefined : { what: 'output', ...found, expected: output, actual: run.output }
  },
  (run, { cost }) => bounded('cost', cost, { actual: Math.round(run.costUsd * 1e6), read: microUsdOf, shown: `${run.costUsd} USD` }),
  (run, { steps }) => bounded('steps', steps, { actual: run.steps, read: Number, shown: `${run.steps} steps` }),
  (run, { duration }) => bounded('duration', duration, { actual: run.durationMs, read: millisecondsOf, shown: inWords(run.durationMs) }),
  (run, { degraded }) => {
    if (degraded === undefined || JSON.stringify([...degraded].sort()) === JSON.stringify([...run.degraded].sort())) return undefined
    const actual = run.degraded.length === 0 ? 'nothing' : run.degraded.join(', ')
    return { what: 'degraded', message: `degraded by ${actual}`, expected: degraded, actual: run.degraded }
  },
  (run, { emitted = [] }) => {
    let at = 0
    for (const name of emitted) {
      const found = run.emitted.findIndex(({ topic, type }, position) => position >= at && (topic === name || type === name))
      const actual = run.emitted.map(({ topic }) => topic)
      if (found < 0) return { what: 'emitted', message: `nothing was sent to ${name}`, expected: emitted, actual }
      at = found + 1
    }
    return undefined
  },
]

const isAsked = ({ asked }: TestRun, name: string): boolean =>
  asked.some((one) => one.name === name || one.step === name || isPath(one.path, name))
const namesAsked = ({ asked }: TestRun): readonly string[] => asked.map(({ path, name }) => `${path} (${name})`)

type Measured = { readonly actual: number; readonly read: (text: string | number) => number | undefined; readonly shown: string }

const COMPARE: Readonly<Record<string, (actual: number, bound: number) => boolean>> = {
  '<=': (actual, bound) => actual <= bound,
  '>=': (actual, bound) => actual >= bound,
  '<': (actual, bound) => actual < bound,
  '>': (actual, bound) => actual > bound,
  '': (actual, bound) => actual === bound,
}

const bounded = (what: string, bound: Bound | undefined, { actual, read, shown }: Measured): Difference | undefined => {
  if (bound === undefined) return undefined
  const [, sign = '', amount = ''] = /^\s*(<=|>=|<|>|)\s*(.*)$/.exec(String(bound)) ?? []
  const limit = read(typeof bound === 'number' ? bound : amount)
  if (limit === undefined || Number.isNaN(limit))
    return { what, message: `${what}: ${bound} cannot be read`, expected: bound, actual: shown }
  const holds = COMPARE[sign]?.(actual, limit) === true
  return holds ? undefined : { what, message: `${what} is ${shown}, not ${bound}`, expected: bound, actual: shown }
}

/** The first place where a value lacks what is expected of it; undefined when it has all of it. */
const firstUnlike = (expected: Json, actual: Json, at: string): { readonly message: string } | undefined => {
  if (isJsonObject(expected) && isJsonObject(actual)) {
    for (const [field, value] of Object.entries(expected)) {
      if (!Object.hasOwn(actual, field)) return { message: `${at}.${field} is not there${didYouMean(field, Object.keys(actual))}` }
      const found = firstUnlike(value, actual[field] ?? null, `${at}.${field}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return { message: `${at} has ${actual.length} items, not ${expected.length}` }
    return expected.map((item: Json, index) => firstUnlike(item, actual[index] as Json, `${at}[${index}]`)).find((one) => one !== undefined)
  }
  return JSON.stringify(expected) === JSON.stringify(actual)
    ? undefined
    : { message: `${at} is ${shorten(JSON.stringify(actual))}, not ${shorten(JSON.stringify(expected))}` }
}
const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text)

/** Throws an `AssertionError` for the first thing that is otherwise than expected. */
export const expectRun = (run: TestRun, expected: Expected): void => {
  const [first] = differencesOf(run, expected)
  if (first === undefined) return
  const { message, actual } = first
  const found = typeof actual === 'string' ? actual : JSON.stringify(actual, null, 2)
  throw new AssertionError({ message: `${message}\n\n${first.what}: ${found}`, expected: first.expected, actual, operator: 'expectRun' })
}

/** The run completed, with at least these fields in its output. */
export const expectOutput = (run: TestRun, output: Json): void => expectRun(run, { status: 'completed', output })
/** The run passed these, in this order; others may lie between them. */
export const expectPath = (run: TestRun, path: readonly string[]): void => expectRun(run, { path })
/** People of these steps or queues were asked, and no others. */
export const expectPeople = (run: TestRun, people: readonly string[]): void => expectRun(run, { people })
/** Steps, models, tools or queues that were asked. */
export const expectAsked = (run: TestRun, asked: readonly string[]): void => expectRun(run, { asked })
export const expectNotAsked = (run: TestRun, notAsked: readonly string[]): void => expectRun(run, { notAsked })
/** `<= 0.05 USD`. */
export const expectCost = (run: TestRun, cost: Bound): void => expectRun(run, { cost })
/** The run failed with this code, or a message that says this. */
export const expectFault = (run: TestRun, fault: string): void => expectRun(run, { status: 'failed', fault })
