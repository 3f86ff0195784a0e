// A database in memory that is made of a file of SQL when it is first asked: reference data, demonstrations, tests. It is the same after
// every start, so nothing has to be kept, and when a query had to be ended by force it is simply made again.
//   L1. What it is asked as a role, it is asked as that role alone: the function that could change it back is nobody's.
import { readFile } from 'node:fs/promises'
import { Fault } from '@baton/contracts'
import { openPglite, type Database } from '@baton/store'

/** The statements of a file: each ends with a `;` at the end of a line. */
const statementsOf = (sql: string): readonly string[] =>
  sql
    .split(/;[ \t]*$/m)
    .map((statement) => statement.replaceAll(/^\s*--.*$/gm, '').trim())
    .filter((statement) => statement !== '')

const readSql = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Fault('config.invalid', `functions.database.file: ${file} cannot be read`, { file }, { cause: error })
  }
}

/** Makes it. Throws `config.invalid` naming the statement that cannot be run. */
export const openFileDatabase = async (file: string, options: { readonly statementTimeoutMs: number }): Promise<Database> => {
  const statements = statementsOf(await readSql(file))
  const db = await openPglite(options)
  for (const statement of [...statements, 'revoke execute on function pg_catalog.set_config(text, text, boolean) from public']) {
    try {
      await db.query(statement) // L1
    } catch (error) {
      await db.close()
      const reason = error instanceof Error ? error.message : String(error)
      throw new Fault('config.invalid', `functions.database.file: ${reason} in "${statement.slice(0, 80)}"`, { file }, { cause: error })
    }
  }
  return db
}
