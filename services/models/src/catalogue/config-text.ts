// Configuration as text: YAML or JSON, with the line of every mistake.
import { Fault } from '@baton/contracts/fault'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'

type Mistake = { readonly path: readonly PropertyKey[]; readonly message: string }

/** The deepest mistakes of a union that fits nowhere: what was meant is what came furthest. */
const deepest = ({ path, message, ...issue }: z.core.$ZodIssue, before: readonly PropertyKey[] = []): readonly Mistake[] => {
  const here = [...before, ...path]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path: here, message }]
  const branches = issue.errors.map((issues) => issues.flatMap((inner) => deepest(inner, here)))
  const depthOf = (branch: readonly Mistake[]): number => Math.max(0, ...branch.map((mistake) => mistake.path.length))
  return branches.toSorted((left, right) => depthOf(right) - depthOf(left))[0] ?? [{ path: here, message }]
}

const MISTAKES_MAX = 10

/** What is wrong with a value, place by place. */
const mistakesOf = (error: z.ZodError): readonly Mistake[] => error.issues.flatMap((issue) => deepest(issue)).slice(0, MISTAKES_MAX)

const placeOf = (path: readonly PropertyKey[]): string => (path.length === 0 ? 'the document' : path.map(String).join('.'))

/** Reads text and checks it. Throws `config.invalid` with every mistake by line; `detail.line` is that of the first. */
export const parseConfig = <S extends z.ZodType>(text: string, schema: S, file: string): z.infer<S> => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [broken] = document.errors
  if (broken !== undefined) {
    const { line } = lines.linePos(broken.pos[0])
    throw new Fault('config.invalid', `${file} is not valid YAML, line ${line}: ${broken.message}`, { file, line })
  }
  const read = schema.safeParse(document.toJS())
  if (read.success) return read.data
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth).map(String), true)
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return 1
  }
  const told = mistakesOf(read.error).map(({ path, message }) => ({ line: lineOf(path), text: `${placeOf(path)}: ${message}` }))
  const [first] = told
  throw new Fault('config.invalid', `${file} has mistakes:\n${told.map(({ line, text: what }) => `  line ${line}: ${what}`).join('\n')}`, {
    file,
    line: first?.line ?? 1,
  })
}
