// The `functions:` section of config/tools.yaml: how functions are run, and what the reference tools work on.
import { z } from 'zod'
import { Duration } from './duration.ts'
import { Names } from './names.ts'
import type { ConfigSection } from './section.ts'
import { QUERY_LIMITS, type QueryLimits } from '../functions/database-query.ts'
import { SNIPPET_LIMITS } from '../functions/code-run.ts'
import type { IsolationLimits } from '../isolation/isolated-run.adapter.ts'
import type { SnippetLimits } from '../isolation/snippet.ts'
import { SecretRef } from '../mcp/mcp-config.ts'

const Database = z.strictObject({
  /** Where the address with its password is. Its role should be one that can only read, and only what may be asked for. */
  url: SecretRef,
  timeout: Duration.optional(),
  rowsMax: z.number().int().min(1).max(10_000).default(QUERY_LIMITS.rowsMax),
  bytesMax: z.number().int().min(1_000).max(1_000_000).default(QUERY_LIMITS.bytesMax),
})
const Functions = z
  .strictObject({
    /** Functions beside flows that run in threads of their own, by name. */
    isolated: Names.optional(),
    memoryMb: z.number().int().min(16).max(4_096).default(64),
    threads: z.number().int().min(1).max(64).default(4),
    /** Switches `database/query` on. */
    database: Database.optional(),
    /** The index that `web/search` looks in. */
    search: z.strictObject({ index: z.string().min(1).max(200) }).prefault({ index: 'web' }),
    code: z
      .strictObject({
        timeout: Duration.optional(),
        memoryMb: z.number().int().min(1).max(512).default(32),
      })
      .prefault({}),
  })
  .prefault({})

export type FunctionsConfig = {
  readonly isolated: readonly string[]
  readonly isolation: IsolationLimits
  readonly database?: { readonly url: SecretRef; readonly limits: QueryLimits }
  readonly searchIndex: string
  readonly snippet: SnippetLimits
}

/** Reads the section. Throws `config.invalid` with file and line. */
export const readFunctions = (section: ConfigSection): FunctionsConfig => {
  const { isolated = [], memoryMb, threads, database, search, code } = section.parse(Functions)
  const limits = (given: z.output<typeof Database>): QueryLimits => ({
    ...QUERY_LIMITS,
    rowsMax: given.rowsMax,
    bytesMax: given.bytesMax,
    timeoutMs: given.timeout ?? QUERY_LIMITS.timeoutMs,
  })
  return {
    isolated,
    isolation: { memoryMbMax: memoryMb, threadsMax: threads },
    ...(database === undefined ? {} : { database: { url: database.url, limits: limits(database) } }),
    searchIndex: search.index,
    snippet: { ...SNIPPET_LIMITS, timeoutMs: code.timeout ?? SNIPPET_LIMITS.timeoutMs, memoryBytesMax: code.memoryMb * 1_048_576 },
  }
}
