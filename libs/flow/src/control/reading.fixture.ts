import { createReport, type Report } from '../diagnostic.ts'
import { createReadContext } from '../read/context.ts'
import { readFlow } from '../read/flow.ts'
import { createSource } from '../source/source.ts'
import { parseSyntax } from '../source/yaml.ts'
import type { FlowTree } from '../tree.ts'

/** The tree of a flow that is well formed; what other checks would say of it does not matter here. */
export const treeOf = (text: string, files: Readonly<Record<string, string>> = {}): FlowTree => {
  const report = createReport()
  const all = new Map([...Object.entries(files), ['f.yaml', text]])
  const syntax = parseSyntax(createSource('f.yaml', text), report)
  const context = createReadContext({ files: all, entry: 'f.yaml', defaults: {}, report, parse: parseSyntax })
  const tree = syntax === undefined ? undefined : readFlow(syntax, context)
  if (tree === undefined || report.failed) throw new Error(`not a flow: ${JSON.stringify(report.list())}`)
  return tree
}

/** What a check reports, as `line:column code`. */
export const codesOf = (check: (report: Report) => void): readonly string[] => {
  const report = createReport()
  check(report)
  return report.list().map(({ line, column, code }) => `${line}:${column} ${code}`)
}
