// What a database error means to a caller. Only what is expected becomes a Fault; a wrong statement stays an Error, because it is a bug.
import { Fault } from '@baton/contracts/fault'

/** Classes and codes of SQLSTATE after which the same call may work: connection, resources, shutdown, deadlock, timeouts. */
const TRANSIENT = /^(08|53|57P|40001|40P01|55P03|57014|25P0[34])/
const DISK_FULL = '53100'

/** An error of pg or PGlite as the fault it stands for, or unchanged. The message carries neither statement nor parameters. */
export const toDatabaseError = (error: unknown): unknown => {
  if (error instanceof Fault || !(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const fromServer = 'severity' in error
  if (code === DISK_FULL) return new Fault('disk.full', 'the database has no space left', { sqlState: code }, { cause: error })
  // Without a severity the error was not sent by the server: the connection broke, timed out or could not be made.
  if (fromServer ? !TRANSIENT.test(code ?? '') : !isConnectionError(error, code)) return error
  return new Fault('store.unavailable', `the database does not answer: ${error.message}`, code === undefined ? {} : { sqlState: code }, {
    cause: error,
  })
}

const isConnectionError = (error: Error, code: string | undefined): boolean =>
  code !== undefined
    ? /^(E[A-Z]+|ERR_SOCKET|ERR_SSL)/.test(code)
    : /terminated|timeout|connection|closed|not queryable/i.test(error.message)
