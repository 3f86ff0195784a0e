// Small flows in, plan or mistakes out.
import { compileFlow } from '../compile.ts'
import { formatDiagnostic } from '../diagnostic.ts'
import type { Plan, PlanNode } from '../plan.ts'

type Files = Readonly<Record<string, string>>

const compile = (text: string, files: Files): ReturnType<typeof compileFlow> =>
  compileFlow({ files: new Map([...Object.entries(files), ['f.yaml', text]]), entry: 'f.yaml' })

/** The plan of a flow that has no mistakes. */
export const planOf = (text: string, files: Files = {}): Plan => {
  const result = compile(text, files)
  if (!result.ok) throw new Error(result.diagnostics.map(formatDiagnostic).join('\n'))
  return result.plan
}

/** The step of a plan. */
export const nodeOf = (text: string, id: string, files: Files = {}): PlanNode => {
  const plan = planOf(text, files)
  const found = plan.nodes[id]
  if (found === undefined) throw new Error(`${id} is not among ${Object.keys(plan.nodes).join(', ')}`)
  return found
}

/** The mistakes of a flow as `line:column code message | fix`. */
export const mistakesIn = (text: string, files: Files = {}): readonly string[] =>
  compile(text, files).diagnostics.map(
    ({ file, line, column, code, message, fix }) =>
      `${file === 'f.yaml' ? '' : `${file}:`}${line}:${column} ${code} ${message}${fix === undefined ? '' : ` | ${fix}`}`,
  )
