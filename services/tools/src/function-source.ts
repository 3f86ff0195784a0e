// Functions as a source: the built-in ones, the reference tools with what they work on, and those beside flows.
//   F1. A function that is marked `isolated`, in its file or in the configuration, runs in a thread of its own.
//   F2. A reference tool gives way to a function of its name beside a flow: the mail of a house is sent by its own tool.
import { join } from 'node:path'
import { Fault } from '@baton/contracts'
import { openPostgres } from '@baton/store'
import { BUILT_IN_TOOLS } from './built-in.ts'
import type { FunctionsConfig, QueryConfig } from './config/functions.config.ts'
import { matchesName } from './config/names.ts'
import { findFunctions, type FoundTool, type ToolProblem } from './function-files.ts'
import { codeProgram } from './functions/code-program.ts'
import { codeRun } from './functions/code-run.ts'
import { databaseQuery, type DatabaseQuery } from './functions/database-query.ts'
import { openFileDatabase } from './functions/file-database.ts'
import { sendMail } from './functions/mail.ts'
import { charge } from './functions/payments.ts'
import { webSearch, type WebSearch } from './functions/web-search.ts'
import { IsolatedFunction, type IsolationLimits } from './isolation/isolated-run.adapter.ts'
import { readSecret } from './mcp/secret-ref.ts'
import type { SearchIndex } from './retrieval/search-index.repository.ts'
import { checkNames } from './tool-registry.ts'
import { fixedSource, type ToolSource } from './tool-source.ts'
import type { Tool } from './tool.ts'

/** `web/search` over an index of our own: what a crawler or a person put there. An index that is not there holds nothing. */
export const localSearch =
  (indexes: Pick<SearchIndex, 'search'>, index: string): WebSearch =>
  async ({ query, top, tenant, signal }) => {
    try {
      const found = await indexes.search({ tenant, index, query, top, signal })
      return found.map(({ id, title, text, score, source }) => ({ url: source === '' ? id : source, title, text, score }))
    } catch (error) {
      if (error instanceof Fault && error.code === 'index.unknown') return []
      throw error
    }
  }

/** The tool, run in threads. */
export const isolated = ({ tool, file }: FoundTool, limits: IsolationLimits): Tool & { readonly close: () => Promise<void> } => {
  const own = new IsolatedFunction({ file, name: tool.name, limits })
  const { reconcile: _inside, ...rest } = tool
  return { ...rest, run: (args, context) => own.run(args, context), close: () => own.close() }
}

/** `database/query` over a server, or over a database in memory from a file beside the flows. */
const queryTool = ({ at, limits }: QueryConfig, flowsDir: string): DatabaseQuery =>
  'url' in at
    ? databaseQuery(async () => openPostgres({ url: await readSecret(at.url), poolMax: 4 }), limits)
    : databaseQuery(() => openFileDatabase(join(flowsDir, at.file), { statementTimeoutMs: limits.timeoutMs }), limits, at.role)

export type FunctionSource = { readonly source: ToolSource; readonly problems: readonly ToolProblem[] }

/** All functions of an installation. Throws `config.invalid` when two built-in ones have one name. */
export const openFunctions = async (
  { flowsDir, indexes }: { readonly flowsDir: string; readonly indexes: Pick<SearchIndex, 'search'> },
  config: FunctionsConfig,
): Promise<FunctionSource> => {
  const query = config.database === undefined ? undefined : queryTool(config.database, flowsDir)
  const { found, problems } = await findFunctions(flowsDir, new Set(BUILT_IN_TOOLS.map(({ name }) => name)))
  const own = new Set(found.map(({ tool }) => tool.name))
  const reference = [
    charge,
    sendMail,
    codeRun(config.snippet),
    codeProgram(config.program),
    webSearch(localSearch(indexes, config.searchIndex)),
    ...(query === undefined ? [] : [query]),
  ]
  const builtIn = [...BUILT_IN_TOOLS, ...reference.filter(({ name }) => !own.has(name))] // F2
  checkNames(builtIn)
  const threads = found
    .filter(({ tool }) => tool.isolated === true || matchesName(config.isolated, tool.name)) // F1
    .map((one) => isolated(one, config.isolation))
  const byName = new Map(threads.map((tool) => [tool.name, tool]))
  const tools = [...builtIn, ...found.map(({ tool }) => byName.get(tool.name) ?? tool)]
  const close = async (): Promise<void> => {
    await Promise.all([...threads, ...(query === undefined ? [] : [query])].map((tool) => tool.close()))
  }
  return { source: { ...fixedSource('functions', tools), close }, problems }
}
