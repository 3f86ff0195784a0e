// Log lines through pino, to standard error, so that standard output stays the data of a command.
//   T1. A field whose name speaks of a secret is never written (H5).
import { pino } from 'pino'
import type { DestinationStream, Logger as PinoLogger } from 'pino'
import type { Fields, Logger } from './telemetry.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const SECRET =
  /passw|secret|authorization|cookie|credential|api[-_]?key|private[-_]?key|(^|[-_.a-z])(access|auth|bearer|refresh|session|id)[-_]?token|^token$|database[-_]?url/i

/** Fields with the values of secret-looking names replaced (T1). */
const redactFields = (fields: Fields): Fields => {
  let copy: Record<string, Fields[string]> | undefined
  for (const name of Object.keys(fields)) {
    if (!SECRET.test(name)) continue
    copy ??= { ...fields }
    copy[name] = '[redacted]'
  }
  return copy ?? fields
}

const LABELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error', 60: 'fatal' }

/** One line for people from one JSON line: time, level, message, then the fields. */
export const prettyLine = (json: string): string => {
  const { level, time, msg, ...fields } = JSON.parse(json) as { level: number; time: number; msg?: string; [field: string]: unknown } // pino wrote it one call before
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${new Date(time).toISOString().slice(11, 23)} ${LABELS[level] ?? String(level)} ${[msg ?? '', ...rest].join(' ')}\n`
}

const wrap = (line: PinoLogger): Logger => ({
  debug: (fields, message) => line.isLevelEnabled('debug') && line.debug(redactFields(fields), message),
  info: (fields, message) => line.isLevelEnabled('info') && line.info(redactFields(fields), message),
  warn: (fields, message) => line.isLevelEnabled('warn') && line.warn(redactFields(fields), message),
  error: (fields, message) => line.isLevelEnabled('error') && line.error(redactFields(fields), message),
  child: (fields) => wrap(line.child(redactFields(fields))),
})

/** A logger for one process. `destination` is standard error unless a test gives its own. */
export const openLogger = (options: {
  readonly service: string
  readonly level: LogLevel
  readonly format: 'pretty' | 'json'
  readonly destination?: DestinationStream
}): Logger => {
  const sink: DestinationStream = options.destination ?? { write: (text: string) => void process.stderr.write(text) }
  const destination = options.format === 'json' ? sink : { write: (text: string) => sink.write(prettyLine(text)) }
  return wrap(pino({ level: options.level, base: { service: options.service } }, destination))
}
