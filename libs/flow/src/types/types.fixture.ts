// A flow in a few lines, and what the pass over types says about it.
import { createReport, type Diagnostic } from '../diagnostic.ts'
import { createReadContext } from '../read/context.ts'
import { readFlow } from '../read/flow.ts'
import { createSource } from '../source/source.ts'
import { parseSyntax } from '../source/yaml.ts'
import type { FlowTree } from '../tree.ts'
import { checkTypes } from './check-types.ts'

/** The tree of a flow; throws for one that cannot be read. */
export const treeOf = (text: string, files: ReadonlyMap<string, string> = new Map()): FlowTree => {
  const report = createReport()
  const syntax = parseSyntax(createSource('flow.yaml', text), report)
  const tree =
    syntax === undefined
      ? undefined
      : readFlow(syntax, createReadContext({ files, entry: 'flow.yaml', defaults: {}, report, parse: parseSyntax }))
  if (tree === undefined || report.failed)
    throw new Error(
      report
        .list()
        .map(({ line, column, message }) => `${line}:${column} ${message}`)
        .join('\n'),
    )
  return tree
}

/** What the pass reports, and nothing else. */
export const findings = (text: string, files?: ReadonlyMap<string, string>): readonly Diagnostic[] => {
  const report = createReport()
  checkTypes(treeOf(text, files), report)
  return report.list()
}

/** Findings as one line each: `code@line:column message`. */
export const lines = (text: string): readonly string[] =>
  findings(text).map(({ code, line, column, message }) => `${code}@${line}:${column} ${message}`)
