// The `functions:` section of config/tools.yaml: how functions are run, and what the reference tools work on.
import { z } from 'zod'
import { Duration } from './duration.ts'
import { Names } from './names.ts'
import type { ConfigSection } from './section.ts'
import { QUERY_LIMITS, type QueryLimits } from '../functions/database-query.ts'
import { PROGRAM_LIMITS } from '../functions/code-program.ts'
import { SNIPPET_LIMITS } from '../functions/code-run.ts'
import type { IsolationLimits } from '../isolation/isolated-run.adapter.ts'
import type { ProcessLimits } from '../isolation/sandbox-process.adapter.ts'
import type { SnippetLimits } from '../isolation/snippet.ts'
import { SecretRef } from '../mcp/mcp-config.ts'

const Database = z
  .strictObject({
    /** Where the address with its password is. Its role should be one that can only read, and only what may be asked for. */
    url: SecretRef.optional(),
    /** A file of SQL beside the flows that makes a database in memory, where no server is at hand. */
    file: z.string().min(1).max(500).optional(),
    /** With `file`: the role that is asked as. */
    role: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'small letters, digits and _')
      .optional(),
    timeout: Duration.optional(),
    rowsMax: z.number().int().min(1).max(10_000).default(QUERY_LIMITS.rowsMax),
    bytesMax: z.number().int().min(1_000).max(1_000_000).default(QUERY_LIMITS.bytesMax),
  })
  .refine(({ url, file }) => (url === undefined) !== (file === undefined), 'has either a url or a file')
  .refine(({ url, role }) => url === undefined || role === undefined, 'role: on a server, connect as a role that may only read')
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
    program: z
      .strictObject({
        timeout: Duration.optional(),
        memoryMb: z.number().int().min(32).max(4_096).default(PROGRAM_LIMITS.memoryMbMax),
      })
      .prefault({}),
  })
  .prefault({})

/** What `database/query` asks. */
export type QueryConfig = {
  readonly limits: QueryLimits
  readonly at: { readonly url: SecretRef } | { readonly file: string; readonly role?: string }
}

export type FunctionsConfig = {
  readonly isolated: readonly string[]
  readonly isolation: IsolationLimits
  readonly database?: QueryConfig
  readonly searchIndex: string
  readonly snippet: SnippetLimits
  readonly program: ProcessLimits
}

const queryConfigOf = ({ url, file = '', role, timeout, rowsMax, bytesMax }: z.output<typeof Database>): QueryConfig => ({
  limits: { ...QUERY_LIMITS, rowsMax, bytesMax, timeoutMs: timeout ?? QUERY_LIMITS.timeoutMs },
  at: url === undefined ? { file, ...(role === undefined ? {} : { role }) } : { url },
})

/** Reads the section. Throws `config.invalid` with file and line. */
export const readFunctions = (section: ConfigSection): FunctionsConfig => {
  const { isolated = [], memoryMb, threads, database, search, code, program } = section.parse(Functions)
  return {
    isolated,
    isolation: { memoryMbMax: memoryMb, threadsMax: threads },
    ...(database === undefined ? {} : { database: queryConfigOf(database) }),
    searchIndex: search.index,
    snippet: { ...SNIPPET_LIMITS, timeoutMs: code.timeout ?? SNIPPET_LIMITS.timeoutMs, memoryBytesMax: code.memoryMb * 1_048_576 },
    program: { ...PROGRAM_LIMITS, timeoutMs: program.timeout ?? PROGRAM_LIMITS.timeoutMs, memoryMbMax: program.memoryMb },
  }
}
