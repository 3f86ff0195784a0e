// Words of the reference: what a step came to, what it sees, and how faults go up.
import { Fault, toFault, type FaultCode } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { MessageOf } from '@baton/contracts'
import type { Outcome, PlanNode, ValueExpr } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import type { Question } from './answers.ts'

export type Entry = { readonly output: Json; readonly by: string }
export const NOTHING: Entry = { output: null, by: 'nobody' }

/** A step did not come to an output. `infra`: not an answer of the world. */
export class Failed extends Error {
  readonly code: FaultCode
  constructor(code: FaultCode, message: string = code) {
    super(message)
    this.code = code
  }
}
/** The run is over, wherever it stands. */
export class Ended extends Error {}

/** What expressions see, and what can be stopped with it. */
export type Env = {
  readonly vars: JsonObject
  readonly it?: Json
  readonly fault?: Failed
  readonly scope: { stopped: boolean }
  readonly owner: { readonly path: string; readonly prefix: string; readonly nodeId: string } | null
}
export type Direction = 'next' | 'end' | { readonly step: string }
export type Went = { readonly entry: Entry; readonly to: Direction }
export type Nested = {
  readonly use: 'case' | 'gate' | 'error' | 'failover' | 'round' | 'judge' | 'agent' | 'own'
  readonly fault?: Failed
  readonly number?: number
  readonly answer?: Entry
  readonly agent?: string
}
export type Place = { readonly node: PlanNode; readonly path: string; readonly env: Env }
/** How often each rule of a visit asked again; how much was asked beside the work of this try; what guards made of the input. */
export type Visit = { readonly asks: Map<string, number>; asides: number; cleared?: { readonly input?: Json } }

/** Not an answer: a person is to be asked. */
export type Asks = { readonly use: 'output' | 'answer' }
/** `final`: a person gave it, and no guard is above people. */
export type Came = { readonly entry: Entry; readonly turn: Turned | undefined; readonly final?: true }

export type Asked = {
  readonly path: string
  readonly call: number
  readonly question: Question | null
  readonly take: (answer: Entry | Failed | Asks, turn?: Turned) => void
}
export type Turned = NonNullable<MessageOf<'step.completed'>['turn']>
export type End = {
  readonly status: 'completed' | 'failed'
  readonly output?: Json
  readonly code?: FaultCode
  readonly degraded: readonly string[]
}

export type Work = Pick<Question, 'kind' | 'input' | 'turn' | 'tool' | 'guard' | 'answered'>

/** What the run does for its steps. */
export type Runner = {
  readonly program: Program
  readonly block: (block: number, env: Env) => Promise<Entry>
  readonly step: (place: Place) => Promise<Went>
  /** `visit`: of the step whose work it is; people are asked beside it. */
  readonly ask: (place: Place, what: Work | null, visit?: Visit) => Promise<Came>
  /** Does what has to end in time; `scope` stops it. */
  readonly within: <T>(place: Place, ms: number, scope: Env['scope'], work: () => Promise<T>) => Promise<T>
  readonly wait: (place: Place) => Promise<Entry>
  /** While the run is paused nothing is entered; what was stopped never goes on. */
  readonly free: (env: Env) => Promise<void>
  /** Nothing below a path is waited for any more. */
  readonly forget: (path: string) => void
  readonly remember: (place: Place, entry: Entry) => void
  readonly degrade: (code: FaultCode) => void
  readonly test: (condition: string, env: Env) => boolean
  readonly value: (value: ValueExpr, env: Env) => Json
}

/** A fault that the step's own ways of handling it have let go. */
export class Handled extends Error {
  /** What goes up. */
  readonly last: unknown
  constructor(last: unknown) {
    super('handled')
    this.last = last instanceof Handled ? last.last : last
  }
}
export const handled = async (went: Promise<Went>): Promise<Went> => {
  try {
    return await went
  } catch (error) {
    throw new Handled(error)
  }
}

export const failedBy = (error: unknown): Failed => {
  if (error instanceof Handled) return failedBy(error.last)
  if (error instanceof Ended) throw error
  if (error instanceof Failed) return error
  if (error instanceof Fault) return new Failed(error.code, error.message)
  return new Failed(toFault(error).data.code)
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  'model.timed_out',
  'tool.timed_out',
  'step.timed_out',
  'step.expired',
  'step.lease_lost',
  'review.expired',
])
export const handlerOf = ({ onError, onTimeout, onLimit }: PlanNode, { code }: Failed): Outcome | undefined => {
  if (TIMEOUTS.has(code)) return onTimeout ?? onError
  return code.startsWith('limit.') ? (onLimit ?? onError) : onError
}

/** A scope stops with the one around it. */
export const scopeBelow = (own: Env['scope'], around: Env['scope']): Env['scope'] => ({
  get stopped() {
    return own.stopped || around.stopped
  },
  set stopped(stopped: boolean) {
    own.stopped = stopped
  },
})

/** An output as expressions see it. */
export const seen = ({ output, by }: Entry): Json => (isJsonObject(output) ? { ...output, by } : output)

/** The static path of a node, put behind the path of what it runs in. */
export const pathOf = (owner: Env['owner'], id: string): string => {
  if (owner === null) return id
  const { path, prefix } = owner
  if (id === prefix) return path
  return id.startsWith(`${prefix}/`) ? path + id.slice(prefix.length) : `${path}/${id}`
}
