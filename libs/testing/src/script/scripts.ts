// Which of the scripts of a test is meant by an asking, and what it says this time.
//   S1. The nearest name wins: the place in the run, the step, then the agent, model, tool, queue, index, task or check.
//   S2. Nothing is made up: an asking that no script is for breaks the test, with what to write.
//   S3. A script for what the flow does not have breaks the test before it runs.
import { AssertionError } from 'node:assert'
import type { Json } from '@baton/contracts/json'
import { actOf, eachOf, type Act, type Answer, type Asking, type PersonAnswer } from './answer.ts'

export type Answers = { readonly [name: string]: Answer }
export type People = { readonly [name: string]: PersonAnswer }

/** Answers and people together: names of steps and of who is asked are one space. */
type AnyAnswer = Answer | Exclude<PersonAnswer, 'never'>
export type AllAnswers = { readonly [name: string]: AnyAnswer }

/** A test that cannot say how the flow behaves: something in it is missing or wrong. */
export class BrokenTest extends AssertionError {
  override readonly name = 'BrokenTest'
  constructor(message: string) {
    super({ message })
  }
}

/** `step` is the name under which a test would script it. */
export type Asked = Omit<Asking, 'before'> & { readonly step: string }

type Entry = {
  readonly name: string
  readonly ask: ((asking: Asking) => unknown) | undefined
  readonly answers: readonly Json[]
  /** Whether the last one is said for ever. */
  readonly lasts: boolean
  asked: number
}

const entryOf = (name: string, answer: AnyAnswer): Entry => {
  if (typeof answer === 'function') return { name, ask: answer, answers: [], lasts: false, asked: 0 }
  if (Array.isArray(answer)) return { name, ask: undefined, answers: answer.map(toJson).flatMap(eachOf), lasts: false, asked: 0 }
  const answers = eachOf(toJson(answer))
  return { name, ask: undefined, answers, lasts: answers.length === 1 || 'gives' in Object(answers.at(-1)), asked: 0 }
}

/** Answers by name. One of these serves one run, and knows how far each list is. */
export class Scripts {
  readonly #entries: ReadonlyMap<string, Entry>

  constructor(answers: AllAnswers) {
    this.#entries = new Map(Object.entries(answers).map(([name, answer]) => [name, entryOf(name, answer)]))
  }

  /** Whether there is a script under one of these names. */
  has(names: readonly string[]): boolean {
    return names.some((name) => this.#entries.has(name))
  }

  /** What the first script of these names says now. S1. */
  async next(names: readonly string[], asking: Asked): Promise<Act> {
    const entry = names.map((name) => this.#entries.get(name)).find((found) => found !== undefined)
    if (entry === undefined) throw unscripted(asking) // S2
    const said = await say(entry, asking)
    const act = actOf(said === 'never' && asking.kind === 'human' ? { takes: 'never' } : said)
    if ('wrong' in act) throw new BrokenTest(`The script for ${entry.name}: ${act.wrong}.`)
    return act
  }
}

const say = async (entry: Entry, { step: _step, ...asking }: Asked): Promise<Json> => {
  const { ask, answers, lasts, name, asked } = entry
  entry.asked += 1
  if (ask !== undefined) return toJson(await ask({ ...asking, before: asked }))
  const answer = answers[lasts ? Math.min(asked, answers.length - 1) : asked]
  if (answer !== undefined) return answer
  throw new BrokenTest(
    `The script for ${name} has ${answers.length} answer${answers.length === 1 ? '' : 's'}, and ${asking.path} asks once more (${asking.name}).`,
  )
}

const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json // JSON of JSON is JSON

const unscripted = ({ path, name, kind, input, step }: Asked): BrokenTest => {
  const isPerson = kind === 'human'
  const who = isPerson ? `asks people of the queue ${name}` : kind === 'model' ? `asks the model ${name}` : `asks ${kind} ${name}`
  const where = isPerson ? 'people' : 'answers'
  const example = isPerson ? '{ decides: approve }' : '<what it gives>'
  return new BrokenTest(
    `${path} ${who}, and the test does not say what comes back. Write it under ${where}: { ${quoted(step)}: ${example} }.\nIt was given ${shorten(JSON.stringify(input))}.`,
  )
}
const quoted = (key: string): string => (/^[\w-]+$/.test(key) ? key : `'${key}'`)
const shorten = (text: string): string => (text.length > 300 ? `${text.slice(0, 297)}…` : text)
