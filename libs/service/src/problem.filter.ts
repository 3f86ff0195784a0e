// Failures as RFC 9457 problems over HTTP; on lanes the exception goes on as it is, so that the lane server can read its code.
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { Fault, FAULTS, type FaultCode } from '@baton/contracts/fault'
import type { Logger } from '@baton/telemetry'

/** A problem as it is sent: `code` of the fault table, `field` when one field is to blame. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: FaultCode
  readonly field?: string
  readonly [fact: string]: string | number | boolean | undefined
}

/** The media type of problems. */
export const PROBLEM_TYPE = 'application/problem+json'

/** A fault as a problem. */
export const problemOf = (fault: Fault, status: number = FAULTS[fault.code].status): Problem => ({
  ...fault.detail,
  type: `urn:baton:fault:${fault.code}`,
  title: FAULTS[fault.code].summary,
  status,
  detail: fault.message,
  code: fault.code,
})

const BY_STATUS: Readonly<Record<number, FaultCode>> = {
  404: 'request.not_found',
  409: 'request.conflicting',
  413: 'request.too_large',
  503: 'bus.draining',
}

/** Fastify and Nest report with a status; what is below 500 is the caller's and may be told. */
const statusOf = (error: unknown): number => {
  if (error instanceof HttpException) return error.getStatus()
  const status: unknown = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' ? status : 500
}

const faultOf = (error: unknown, status: number): Fault => {
  if (error instanceof Fault) return error
  const text = error instanceof Error ? error.message : String(error)
  if (status >= 400 && status < 500) return new Fault(BY_STATUS[status] ?? 'request.malformed', text)
  if (status === 503) return new Fault('bus.draining', 'the service does not take requests now')
  return new Fault('handler.failed', 'an error nobody foresaw; the log of the service has it') // H3
}

type Reply = {
  code(status: number): Reply
  header(name: string, value: string): Reply
  send(body: string): unknown
  readonly sent: boolean
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') throw error
    const reply = host.switchToHttp().getResponse<Reply>()
    const status = error instanceof Fault ? FAULTS[error.code].status : statusOf(error)
    const fault = faultOf(error, status)
    if (fault.code === 'handler.failed')
      this.#logger.error(
        { code: fault.code, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        'request failed',
      )
    if (reply.sent) return undefined
    return reply
      .code(status)
      .header('content-type', PROBLEM_TYPE)
      .send(JSON.stringify(problemOf(fault, status)))
  }
}
