// Tools and routes are what an installation has, not what a flow says: this pass runs where somebody knows them.
import { didYouMean, type Report } from '../diagnostic.ts'
import type { Span } from '../source/source.ts'
import type { FlowTree } from '../tree.ts'
import { walkFlow } from './walk.ts'

/** What an installation has. A part that is absent is not known, and not checked. */
export type Inventory = {
  /** Names a step may give as its model: routes, and models by name. */
  readonly routes?: readonly string[]
  /** `namespace/name` of tools. */
  readonly tools?: readonly string[]
}

/** Reports tools and routes that the installation does not have. */
export const checkInventory = (tree: FlowTree, { routes, tools }: Inventory, report: Report): void => {
  const models = (names: readonly string[], at: Span): void => {
    if (routes === undefined) return
    for (const name of names) {
      // `default` is there wherever a model is configured.
      if (name === 'default' || routes.includes(name)) continue
      const message = `there is no route or model "${name}"${didYouMean(name, routes)}`
      report.add(wordAfter(at, name), 'route.unknown', message, 'name a route of models.yaml, or add one')
    }
  }
  const functions = (names: readonly string[], at: Span): void => {
    if (tools === undefined) return
    const namespaces = new Set(tools.map(namespaceOf))
    for (const name of names) {
      if (tools.includes(name)) continue
      const near = didYouMean(name, tools)
      if (near !== '' || namespaces.has(namespaceOf(name)))
        report.add(wordAfter(at, name), 'tool.unknown', `there is no tool "${name}"${near}`, 'name a tool that is there, or write it')
      else report.add(wordAfter(at, name), 'tool.elsewhere', `nothing here provides tools of "${namespaceOf(name)}/", such as ${name}`)
    }
  }
  walkFlow(tree, {
    step: (step) => {
      if (step.kind === 'model') models(step.models, step.at)
      if (step.kind === 'tool') functions(step.tools, step.at)
    },
    outcome: (outcome) => {
      if (outcome.then === 'retry' && outcome.models !== undefined) models(outcome.models, outcome.at)
    },
  })
  for (const agent of Object.values(tree.agents)) {
    models(agent.models, agent.at)
    functions(agent.tools, agent.at)
  }
}

const namespaceOf = (tool: string): string => tool.slice(0, tool.indexOf('/'))

/** The next place after the start of a step where a name stands by itself. */
const wordAfter = (at: Span, name: string): Span => {
  const { text } = at.source
  for (let start = text.indexOf(name, at.start); start !== -1; start = text.indexOf(name, start + 1)) {
    const alone = !/[\w/-]/.test(text[start - 1] ?? ' ') && !/[\w/:-]/.test(text[start + name.length] ?? ' ')
    if (alone) return { source: at.source, start, end: start + name.length }
  }
  return at
}
