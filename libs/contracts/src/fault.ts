// One class and one table for everything that can go wrong. Add a row, never a class.
//   F1. Every fault that crosses a topic, an HTTP answer or a log line carries a code of this table.
//   F2. A code says what helps (remedy), whose fault it is (blame) and which HTTP status it answers.

/** What helps: try again, try another model or tool, ask again with the error, ask a person, or nothing. */
export type Remedy = 'retry' | 'failover' | 'reask' | 'human' | 'stop'
/** Who has to change something so that it does not happen again. */
export type Blame = 'caller' | 'flow' | 'model' | 'provider' | 'tool' | 'policy' | 'person' | 'platform'
type FaultRow = { readonly remedy: Remedy; readonly blame: Blame; readonly status: number; readonly summary: string }

export const FAULTS = {
  'request.malformed': {
    remedy: 'stop',
    blame: 'caller',
    status: 400,
    summary: 'The request is not valid JSON or misses a required field.',
  },
  'request.too_large': { remedy: 'stop', blame: 'caller', status: 413, summary: 'The message is larger than the configured limit.' },
  'request.conflicting': {
    remedy: 'stop',
    blame: 'caller',
    status: 409,
    summary: 'The same request id was used before with another body.',
  },
  'request.not_found': { remedy: 'stop', blame: 'caller', status: 404, summary: 'Nothing with this id exists.' },
  'input.invalid': { remedy: 'stop', blame: 'caller', status: 422, summary: 'The input does not fit the schema of the flow.' },
  'flow.unknown': { remedy: 'stop', blame: 'caller', status: 404, summary: 'No flow of this name and version is published.' },
  'flow.invalid': { remedy: 'stop', blame: 'flow', status: 422, summary: 'The flow file has mistakes; `baton check` lists them.' },
  'flow.unsupported': {
    remedy: 'stop',
    blame: 'flow',
    status: 422,
    summary: 'The plan was made by a later version, in a form that this one cannot run.',
  },
  'params.invalid': { remedy: 'stop', blame: 'caller', status: 422, summary: 'A value for a param does not fit its type or range.' },
  'expression.failed': {
    remedy: 'stop',
    blame: 'flow',
    status: 422,
    summary: 'An expression could not be evaluated on the data of this run.',
  },
  'switch.unmatched': { remedy: 'stop', blame: 'flow', status: 422, summary: 'No case of a switch matched and it has no else.' },
  'gate.unmatched': { remedy: 'stop', blame: 'flow', status: 422, summary: 'No rule of a gate matched and it has no else.' },
  'limit.time_exceeded': { remedy: 'stop', blame: 'policy', status: 504, summary: 'The run used up its working time.' },
  'limit.total_exceeded': { remedy: 'stop', blame: 'policy', status: 504, summary: 'The run is older than its total time.' },
  'limit.steps_exceeded': { remedy: 'stop', blame: 'policy', status: 422, summary: 'The run reached its limit of steps.' },
  'limit.cost_exceeded': { remedy: 'stop', blame: 'policy', status: 402, summary: 'The run reached its limit of cost.' },
  'limit.tokens_exceeded': { remedy: 'stop', blame: 'policy', status: 402, summary: 'The run, step or agent reached its limit of tokens.' },
  'limit.calls_exceeded': { remedy: 'stop', blame: 'policy', status: 422, summary: 'The run, step or agent reached its limit of calls.' },
  'limit.turns_exceeded': { remedy: 'stop', blame: 'policy', status: 422, summary: 'The agent reached its limit of turns.' },
  'limit.rounds_exceeded': { remedy: 'stop', blame: 'policy', status: 422, summary: 'A loop or team reached its limit of rounds.' },
  'limit.items_exceeded': { remedy: 'stop', blame: 'caller', status: 422, summary: 'A list is longer than the map over it may be.' },
  'limit.subtasks_exceeded': {
    remedy: 'stop',
    blame: 'policy',
    status: 422,
    summary: 'The planner of a team asked for more subtasks than it may.',
  },
  'limit.depth_exceeded': { remedy: 'stop', blame: 'policy', status: 422, summary: 'Flows start flows deeper than they may.' },
  'step.timed_out': { remedy: 'stop', blame: 'policy', status: 504, summary: 'What the step waited for did not happen in time.' },
  'join.impossible': { remedy: 'stop', blame: 'flow', status: 422, summary: 'Too many branches failed for the join to be reached.' },
  'vote.undecided': { remedy: 'human', blame: 'model', status: 422, summary: 'Nobody won the vote, and the step does not say what then.' },
  'agent.unknown': { remedy: 'stop', blame: 'flow', status: 422, summary: 'No agent of the flow is for this task.' },
  'agent.repeating': { remedy: 'human', blame: 'model', status: 502, summary: 'The agent made the same call again and again.' },
  'agent.stuck': { remedy: 'human', blame: 'model', status: 502, summary: 'The agent made no progress.' },
  'agent.unsure': { remedy: 'human', blame: 'model', status: 422, summary: 'The agent is less sure of its answer than it has to be.' },
  'model.none_configured': {
    remedy: 'stop',
    blame: 'policy',
    status: 503,
    summary: 'No model is configured: set OPENAI_BASE_URL, or name a local model in config/models.yaml.',
  },
  'model.unknown': {
    remedy: 'failover',
    blame: 'flow',
    status: 422,
    summary: 'The flow names a model that config/models.yaml does not have.',
  },
  'model.rate_limited': { remedy: 'retry', blame: 'provider', status: 429, summary: 'The provider asks to slow down.' },
  'model.unavailable': { remedy: 'retry', blame: 'provider', status: 503, summary: 'The provider failed or could not be reached.' },
  'model.timed_out': {
    remedy: 'failover',
    blame: 'provider',
    status: 504,
    summary: 'The model did not answer within the time of one try.',
  },
  'model.refused': { remedy: 'failover', blame: 'provider', status: 502, summary: 'The provider refused the request for good.' },
  'model.overloaded': { remedy: 'retry', blame: 'provider', status: 503, summary: 'The provider has too much to do; another may be free.' },
  'model.stalled': { remedy: 'failover', blame: 'provider', status: 504, summary: 'The model began to answer and stopped.' },
  'model.context_too_long': {
    remedy: 'failover',
    blame: 'flow',
    status: 422,
    summary: 'The question is longer than the model can read; one with a larger window may do.',
  },
  'model.content_refused': { remedy: 'human', blame: 'model', status: 422, summary: 'The provider will not answer this content.' },
  'model.unauthorized': { remedy: 'failover', blame: 'policy', status: 502, summary: 'The provider does not accept the key it was given.' },
  'model.request_invalid': { remedy: 'failover', blame: 'flow', status: 422, summary: 'The provider cannot read the request.' },
  'model.none_allowed': {
    remedy: 'human',
    blame: 'policy',
    status: 422,
    summary: 'Every model of the route is excluded: by what it can do, its region, a policy, its price or its state.',
  },
  'budget.exceeded': { remedy: 'human', blame: 'policy', status: 402, summary: 'A budget shared by several runs is used up.' },
  'price.unknown': {
    remedy: 'stop',
    blame: 'policy',
    status: 422,
    summary: 'The price of the model is not known, and its calls are not capped.',
  },
  'confidence.invalid': {
    remedy: 'reask',
    blame: 'model',
    status: 502,
    summary: 'The answer gives a confidence that is not between 0 and 1.',
  },
  'guard.blocked': { remedy: 'human', blame: 'policy', status: 422, summary: 'A guard of the step does not let this content pass.' },
  'output.malformed': { remedy: 'reask', blame: 'model', status: 502, summary: 'The answer is not JSON and could not be repaired.' },
  'output.truncated': { remedy: 'failover', blame: 'model', status: 502, summary: 'The answer ends in the middle.' },
  'output.schema_invalid': { remedy: 'reask', blame: 'model', status: 502, summary: 'The answer does not fit the schema of the step.' },
  'tool.unknown': { remedy: 'stop', blame: 'flow', status: 422, summary: 'No tool of this name is registered.' },
  'tool.failed': { remedy: 'retry', blame: 'tool', status: 502, summary: 'The tool reported an error or crashed.' },
  'tool.timed_out': { remedy: 'retry', blame: 'tool', status: 504, summary: 'The tool did not answer within the time of one try.' },
  'tool.arguments_invalid': { remedy: 'stop', blame: 'flow', status: 422, summary: 'The arguments do not fit the schema of the tool.' },
  'tool.changed': {
    remedy: 'human',
    blame: 'tool',
    status: 409,
    summary: 'The tool is not what was accepted: its description or schema changed. It is off until somebody accepts the difference.',
  },
  'tool.denied': { remedy: 'stop', blame: 'policy', status: 403, summary: 'A rule does not allow this call.' },
  'tool.rate_limited': { remedy: 'retry', blame: 'policy', status: 429, summary: 'The tool may not be called as often as that.' },
  'tool.result_invalid': { remedy: 'failover', blame: 'tool', status: 502, summary: 'The result of the tool cannot be used.' },
  'tool.unreachable': { remedy: 'retry', blame: 'tool', status: 503, summary: 'The server of the tool is down or cannot be reached.' },
  'address.refused': { remedy: 'stop', blame: 'policy', status: 403, summary: 'Outgoing calls may not reach this address.' },
  'approval.refused': { remedy: 'stop', blame: 'person', status: 403, summary: 'A person did not approve the call.' },
  'approval.stale': { remedy: 'human', blame: 'policy', status: 409, summary: 'What was approved is not what would be done now.' },
  'context.too_large': {
    remedy: 'failover',
    blame: 'flow',
    status: 422,
    summary: 'What the step must show the model does not fit its window, and may not be shortened.',
  },
  'effect.conflicting': { remedy: 'human', blame: 'flow', status: 409, summary: 'The same effect was asked for with other arguments.' },
  'effect.uncertain': {
    remedy: 'human',
    blame: 'tool',
    status: 409,
    summary: 'An earlier try may have had this effect, and the tool cannot tell.',
  },
  'index.unknown': { remedy: 'stop', blame: 'flow', status: 422, summary: 'No index of this name exists.' },
  'index.embedder_missing': {
    remedy: 'stop',
    blame: 'platform',
    status: 422,
    summary: 'The index has no vectors, or the embedding model that makes them is not installed.',
  },
  'check.failed': { remedy: 'reask', blame: 'model', status: 422, summary: 'A check on content did not pass.' },
  'review.rejected': { remedy: 'stop', blame: 'person', status: 422, summary: 'A person rejected it.' },
  'review.expired': { remedy: 'human', blame: 'person', status: 504, summary: 'No person decided in time; silence is never consent.' },
  'review.closed': { remedy: 'stop', blame: 'caller', status: 409, summary: 'The review was decided or withdrawn before.' },
  'review.claimed': { remedy: 'stop', blame: 'caller', status: 409, summary: 'The review is claimed by somebody else.' },
  'review.not_allowed': {
    remedy: 'stop',
    blame: 'caller',
    status: 403,
    summary: 'The review is for other people: by role, skill or assignment, or because who asks does not decide.',
  },
  'review.changed': {
    remedy: 'stop',
    blame: 'caller',
    status: 409,
    summary: 'The decision was made on something else than what the review asks.',
  },
  'step.expired': { remedy: 'stop', blame: 'platform', status: 504, summary: 'The command was received after its deadline.' },
  'step.lease_lost': { remedy: 'retry', blame: 'platform', status: 504, summary: 'The worker neither answered nor extended its lease.' },
  'step.output_too_large': { remedy: 'stop', blame: 'tool', status: 502, summary: 'The output is larger than the configured limit.' },
  'run.cancelled': { remedy: 'stop', blame: 'caller', status: 409, summary: 'The run was cancelled.' },
  'run.not_paused': { remedy: 'stop', blame: 'caller', status: 409, summary: 'Only a paused run can be changed.' },
  'run.not_ended': { remedy: 'stop', blame: 'caller', status: 409, summary: 'Only an ended run can be run again.' },
  'run.ended': { remedy: 'stop', blame: 'caller', status: 409, summary: 'The run has ended; nothing can change it any more.' },
  'step.unknown': { remedy: 'stop', blame: 'caller', status: 422, summary: 'The flow has no step of this name to begin from.' },
  'run.quarantined': {
    remedy: 'stop',
    blame: 'platform',
    status: 500,
    summary: 'Events of this run crashed the engine twice; it was set aside.',
  },
  'payload.missing': { remedy: 'retry', blame: 'platform', status: 500, summary: 'A referenced payload is not in the payload store.' },
  'payload.not_inline': {
    remedy: 'stop',
    blame: 'flow',
    status: 422,
    summary: 'An expression reads a field that is only in the payload store.',
  },
  'message.undecodable': {
    remedy: 'stop',
    blame: 'caller',
    status: 400,
    summary: 'The record does not fit its contract; its bytes are in the dead letters.',
  },
  'handler.failed': { remedy: 'retry', blame: 'platform', status: 500, summary: 'A handler threw an error nobody foresaw.' },
  'log.truncated': { remedy: 'stop', blame: 'platform', status: 500, summary: 'The log no longer holds the position to continue from.' },
  'log.corrupt': { remedy: 'stop', blame: 'platform', status: 500, summary: 'A stored record does not match its checksum.' },
  'lease.lost': { remedy: 'stop', blame: 'platform', status: 503, summary: 'Another process owns this partition now.' },
  'store.unavailable': { remedy: 'retry', blame: 'platform', status: 503, summary: 'The database does not answer.' },
  'store.damaged': {
    remedy: 'stop',
    blame: 'platform',
    status: 500,
    summary: 'The data directory of the embedded database cannot be opened; the log can rebuild it in a new one.',
  },
  'bus.unavailable': { remedy: 'retry', blame: 'platform', status: 503, summary: 'The message bus does not answer.' },
  'bus.unauthorized': {
    remedy: 'stop',
    blame: 'policy',
    status: 500,
    summary: 'The broker does not know who asks, or does not allow what was asked; the message says what to do.',
  },
  'bus.draining': { remedy: 'retry', blame: 'platform', status: 503, summary: 'The process is shutting down.' },
  'disk.full': { remedy: 'retry', blame: 'platform', status: 507, summary: 'The data directory reached its configured size.' },
  'engine.unsupported': { remedy: 'stop', blame: 'platform', status: 500, summary: 'This binary lacks an engine version that is in use.' },
  'config.invalid': { remedy: 'stop', blame: 'policy', status: 500, summary: 'A configuration file or variable is wrong.' },
} as const satisfies Record<string, FaultRow>

export type FaultCode = keyof typeof FAULTS

/** A fault as it travels in events: code, sentence for people, machine-readable facts. Never a secret, never content. */
export type FaultData = {
  readonly code: FaultCode
  readonly message: string
  readonly detail?: { readonly [key: string]: string | number | boolean }
}

/** Every expected failure. Compare codes, never classes. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly detail: { readonly [key: string]: string | number | boolean }

  constructor(
    code: FaultCode,
    message: string,
    detail: { readonly [key: string]: string | number | boolean } = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.detail = detail
  }

  get data(): FaultData {
    return { code: this.code, message: this.message, ...(Object.keys(this.detail).length > 0 ? { detail: this.detail } : {}) }
  }
}

/** Tells a code of the table from any other string. */
export const isFaultCode = (code: unknown): code is FaultCode => typeof code === 'string' && Object.hasOwn(FAULTS, code)

/** Any thrown value as a fault; what is not one becomes `handler.failed` with the original as cause. */
export const toFault = (error: unknown): Fault => {
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Fault('handler.failed', message, {}, { cause: error })
}

/** True when trying the same again later can help. */
export const isRetryable = (code: FaultCode): boolean => FAULTS[code].remedy === 'retry'
