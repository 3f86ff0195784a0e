// Prompt files as people keep them: `prompts/NAME@VERSION.md`, with their variables, examples, output and tests (B14).
//   Q1. A version that a published flow uses is never changed but followed by another: what is compared is versions.
//   Q2. Tests of a prompt need no model: they fill it and look at the text. With a model they ask it and look at the answer.
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { Fault, toFault } from '@baton/contracts/fault'
import type { Json, JsonObject } from '@baton/contracts/json'
import { compileFlow } from '@baton/flow'
import type { Plan } from '@baton/flow/plan'
import { parse } from 'yaml'
import { z } from 'zod'
import { fillPrompt } from './fill.policy.ts'

const PromptTest = z.strictObject({
  name: z.string().optional(),
  with: z.record(z.string(), z.json()).default({}),
  /** Texts that the filled prompt has, and has not. */
  contains: z.array(z.string()).default([]),
  lacks: z.array(z.string()).default([]),
  /** Fields that the answer of a model has to have. */
  expect: z.json().optional(),
})
export type PromptTest = z.infer<typeof PromptTest>

const Variable = z.union([z.string(), z.looseObject({ type: z.string().default('any'), from: z.string().optional() })])
const Front = z.looseObject({
  about: z.string().optional(),
  system: z.string().optional(),
  variables: z.record(z.string(), Variable).optional(),
  examples: z.array(z.json()).default([]),
  returns: z.string().optional(),
  tests: z.array(PromptTest).default([]),
})

export type PromptFile = {
  /** `NAME@VERSION`. */
  readonly name: string
  readonly path: string
  readonly about: string
  readonly variables: Readonly<Record<string, { readonly type: string; readonly outside: boolean }>>
  readonly examples: number
  readonly tests: readonly PromptTest[]
  readonly returns: string | undefined
  readonly text: string
  readonly prompt: Plan['prompts'][string]
}

const FRONT = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/
const TYPE_OF: Readonly<Record<string, (value: Json) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

const broken = (path: string, message: string, cause?: unknown): Fault =>
  new Fault('flow.invalid', `${path}: ${message}`, { file: path }, { cause })

/** The prompt as the compiler of flows reads it. */
const compiled = (name: string, text: string, path: string): Plan['prompts'][string] => {
  const flow = `steps:\n  - prompt: { model: default, prompt: ${JSON.stringify(name)}, with: =input }\n`
  const result = compileFlow({
    entry: 'flow.yaml',
    files: new Map([
      ['flow.yaml', flow],
      [`prompts/${name}.md`, text],
    ]),
  })
  const found = result.ok ? result.plan.prompts[name] : undefined
  if (found !== undefined) return found
  const [first] = result.ok ? [] : result.diagnostics.filter(({ file }) => file.endsWith('.md'))
  throw broken(path, first === undefined ? 'it cannot be read as a prompt' : `line ${first.line}: ${first.message}`)
}

/** Reads one. Throws `flow.invalid` with the place of the mistake. */
export const readPromptFile = async (path: string): Promise<PromptFile> => {
  const text = await readFile(path, 'utf8')
  const name = basename(path, '.md')
  let front: z.infer<typeof Front>
  try {
    front = Front.parse(parse(FRONT.exec(text)?.[1] ?? '') ?? {})
  } catch (error) {
    throw broken(path, error instanceof z.ZodError ? z.prettifyError(error) : toFault(error).message, error)
  }
  const variables = Object.entries(front.variables ?? {}).map(([key, variable]) => {
    const said = typeof variable === 'string' ? { type: variable } : variable
    return [key, { type: said.type, outside: 'from' in said && said.from === 'outside' }] as const
  })
  return {
    name,
    path,
    about: front.about ?? '',
    variables: Object.fromEntries(variables),
    examples: front.examples.length,
    tests: front.tests,
    returns: front.returns,
    text,
    prompt: compiled(name, text, path),
  }
}

/** Every prompt file below a folder, by name. */
export const findPromptFiles = async (folder: string): Promise<readonly string[]> => {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile() && /^[\w.-]+@\d+\.md$/.test(entry.name) && basename(entry.parentPath) === 'prompts')
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, dirname(path)).includes('node_modules'))
    .toSorted()
}

export type FilledPrompt = { readonly prompt: string; readonly system: string | undefined; readonly problems: readonly string[] }

const typeProblems = (variables: PromptFile['variables'], given: JsonObject): readonly string[] => [
  ...Object.entries(variables).flatMap(([name, { type }]) => {
    const value = given[name]
    if (value === undefined) return [`it has no ${name}`]
    return TYPE_OF[type]?.(value) === false ? [`${name} is no ${type}`] : []
  }),
  ...(Object.keys(variables).length === 0
    ? []
    : Object.keys(given)
        .filter((name) => !Object.hasOwn(variables, name))
        .map((name) => `${name} is no variable`)),
]

/** Fills it with the values of a test and says what is not as the test wants it. */
export const checkPromptTest = ({ prompt, variables }: PromptFile, test: PromptTest): FilledPrompt => {
  const given = test.with as JsonObject // z.json() is JSON.
  const problems = typeProblems(variables, given)
  try {
    const system = prompt.system === undefined ? undefined : fillPrompt(prompt.system, given)
    const filled = fillPrompt(prompt.parts, given)
    const whole = `${system ?? ''}\n${filled}`
    return {
      prompt: filled,
      system,
      problems: [
        ...problems,
        ...test.contains.filter((text) => !whole.includes(text)).map((text) => `it does not say "${text}"`),
        ...test.lacks.filter((text) => whole.includes(text)).map((text) => `it says "${text}"`),
      ],
    }
  } catch (error) {
    return { prompt: '', system: undefined, problems: [...problems, toFault(error).message] }
  }
}
