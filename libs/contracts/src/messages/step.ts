import { z } from 'zod'
import { EpochMs, FaultDataSchema, JsonValue, Meter, PayloadRef, Priority, RunId, Tenant } from './shared.ts'

export const StepKind = z.enum(['model', 'tool', 'retrieve', 'check', 'human', 'task'])
export type StepKind = z.infer<typeof StepKind>

/** A call of a tool that a model asks for. */
export const AgentCall = z.looseObject({
  id: z.string().max(200).meta({ description: 'as the model named it' }),
  tool: z.string().max(200),
  arguments: z.record(z.string(), JsonValue),
})
export type AgentCall = z.infer<typeof AgentCall>

/** What became of a call: an output, or a fault. */
export const AgentResult = z.looseObject({
  id: z.string(),
  tool: z.string(),
  output: JsonValue.optional(),
  outputRef: PayloadRef.optional(),
  fault: FaultDataSchema.optional(),
})
export type AgentResult = z.infer<typeof AgentResult>

/** What a turn of an agent adds to the prompt that the plan has for it. */
export const AgentTurn = z.looseObject({
  agent: z.string().meta({ description: 'the agent of the plan' }),
  turn: z.number().int().positive(),
  /** `check`: the agent looks at `answer` with its prompt for that, and says `{ ok, problem? }`. */
  use: z.enum(['turn', 'check']),
  answer: JsonValue.optional(),
  /** The newest piece of the conversation; each piece names the one before. */
  transcript: PayloadRef.optional(),
  /** Of the calls of the turn before. */
  results: z.array(AgentResult),
  /** Tools it may call now. A hand-over is the tool `handoff/AGENT`. */
  tools: z.array(z.string()),
  /** What the engine tells it: why it has to finish, or who handed over. */
  note: z.string().optional(),
})
export type AgentTurn = z.infer<typeof AgentTurn>

/**
 * A question of a service to a person, in the middle of its work: an approval bound to what exactly would be done, a value that is
 * missing, or an output that a machine must not pass on alone.
 */
export const Ask = z.looseObject({
  kind: z.enum(['approval', 'edit', 'question', 'label']),
  /** `output`: what the person decides is the output of the step. `answer`: it goes back to the service, which goes on. */
  use: z.enum(['output', 'answer']),
  title: z.string().max(300),
  /** What the person sees; its field `draft`, where there is one, is what approving approves. */
  input: JsonValue,
  /** Of what the decision is bound to: for a call, of tool, arguments and policy version. */
  fingerprint: z.string().max(200).optional(),
  allowed: z.array(z.enum(['approve', 'edit', 'reject', 'respond'])).optional(),
  /** JSON Schema of what a person may write. */
  schema: JsonValue.optional(),
  queue: z.string().max(200).optional(),
  priority: Priority.optional(),
  slaMs: z.number().int().positive().optional(),
  /** Decides what silence means: irreversible rejects, reversible escalates then rejects, advisory proceeds flagged. */
  risk: z.enum(['advisory', 'reversible', 'irreversible']).optional(),
  /** Why it came here, for the person. */
  reasons: z.array(z.string().max(1_000)).max(20),
  /** One of these roles may decide. */
  roles: z.array(z.string().max(100)).max(20).optional(),
  /** How many people of how many have to approve, and whether each for another role. */
  quorum: z.looseObject({ n: z.number().int().positive(), of: z.number().int().positive(), distinctRoles: z.boolean() }).optional(),
  /** Who began the run does not decide. */
  excludeRequester: z.boolean().optional(),
  /** What was measured where a policy asks: how sure the machine is, what made the output, which rule asked. */
  measured: z
    .looseObject({
      confidence: z.number().min(0).max(1).optional(),
      route: z.string().optional(),
      rule: z.string().optional(),
      share: z.number().positive().max(1).optional(),
    })
    .optional(),
  /** Goes back to the service as it is. */
  state: JsonValue.optional(),
})
export type Ask = z.infer<typeof Ask>

/** What a person said to an `Ask`. */
export const Answered = z.looseObject({
  taskId: z.string(),
  verdict: z.enum(['approve', 'edit', 'reject', 'respond']),
  output: JsonValue,
  by: z.string().max(200),
  reason: z.string().max(4_000).optional(),
  fingerprint: z.string(),
  decidedAtMs: EpochMs,
  state: JsonValue.optional(),
})
export type Answered = z.infer<typeof Answered>

/**
 * One dispatch of one step to the service that does it. The static part (prompt, schema, retry, failover list)
 * is in the plan `planHash`, under node `nodeId`; only what this run decided travels here.
 */
export const StepCommand = z.looseObject({
  runId: RunId,
  rootRunId: RunId,
  tenant: Tenant,
  flow: z.string(),
  version: z.string(),
  planHash: z.string().length(64),
  engineVersion: z.number().int().positive(),
  nodeId: z.string().meta({ description: 'the node of the plan' }),
  path: z.string().meta({ description: 'the place in this run' }),
  kind: StepKind,
  attempt: z.number().int().positive(),
  attemptId: z.string(),
  /** The attempt counts as lost when neither answered nor extended by then. */
  leaseUntilMs: EpochMs,
  /** Nothing may be started after this. */
  deadlineMs: EpochMs,
  reservation: z.string(),
  /** Stable over attempts and reruns: root run, step path, call ordinal. Key of the effect ledger (C4). */
  effectKey: z.string(),
  priority: Priority,
  answerPartition: z.number().int().nonnegative(),
  /** The evaluated `with` of the step. Values in the payload store appear as `{ $payload, at }`. */
  input: JsonValue,
  /** What a gate's `retry` changed for this dispatch, and the reason it gives the model. */
  override: z
    .looseObject({ models: z.array(z.string()).optional(), prompt: z.string().optional(), feedback: z.string().optional() })
    .optional(),
  /** A turn of an agent: the node is the agent's step. */
  turn: AgentTurn.optional(),
  /** A call that an agent asked for: the tool, with its arguments as the input. */
  call: z.looseObject({ id: z.string(), tool: z.string(), agent: z.string().optional() }).optional(),
  /** Parts of the context that the step names, evaluated; parts taken from the conversation are the service's to find. */
  context: z.record(z.string(), JsonValue).optional(),
  /** Images, audio and files for the model, by reference. */
  media: z.array(JsonValue).max(100).optional(),
  /** What makes two calls the same, where the step says so. */
  cacheKey: JsonValue.optional(),
  /** The step's guards look at its input or at its output; the input is that content. */
  guard: z.looseObject({ on: z.enum(['input', 'output']) }).optional(),
  /** Asks a person in the name of the service that wanted it. */
  ask: Ask.optional(),
  /** What the person said to what the service asked. */
  answered: Answered.optional(),
  /** `dry_run`: nothing outside is changed. Absent: live. */
  mode: z.enum(['live', 'dry_run']).optional(),
  /** Where content from outside, which may carry orders of strangers, came into the run; marks that begin with `private:` say that private data was read. */
  taint: z.array(z.string()).optional(),
  session: z.string().optional(),
  user: z.looseObject({ id: z.string().optional() }).optional(),
})
export type StepCommand = z.infer<typeof StepCommand>

/** What a run that a step started has used, for the caps of the run it belongs to. */
const ChildUse = z.looseObject({
  workedMs: z.number().nonnegative(),
  steps: z.number().int().nonnegative(),
  tokens: z.number().int().nonnegative(),
  calls: z.number().int().nonnegative(),
  costMicroUsd: z.number().int().nonnegative(),
})
export type ChildUse = z.infer<typeof ChildUse>

const answer = { runId: RunId, attemptId: z.string(), child: ChildUse.optional() }

/** The work is done. `output` holds the fields that expressions read; the whole is behind `outputRef` when large. */
export const StepCompleted = z.looseObject({
  ...answer,
  output: JsonValue,
  outputRef: PayloadRef.optional(),
  by: z.string().max(200).optional().meta({ description: 'who made it: model:NAME, tool:NAME, human:NAME' }),
  meter: Meter.optional(),
  /** Content from outside is in the output: where it came from, for the rules of what a run may still do. */
  taint: z.array(z.string().max(200)).max(20).optional(),
  /** Of a turn of an agent: the calls it asks for (none: `output` is its answer), and the conversation so far. */
  turn: z
    .looseObject({ calls: z.array(AgentCall), transcript: PayloadRef.optional(), confidence: z.number().min(0).max(1).optional() })
    .optional(),
})
export type StepCompleted = z.infer<typeof StepCompleted>

/** The work failed for good as far as its service is concerned. */
export const StepFailed = z.looseObject({
  ...answer,
  fault: FaultDataSchema,
  deadLettered: z.boolean().optional(),
  meter: Meter.optional(),
})
export type StepFailed = z.infer<typeof StepFailed>
/** The service cannot go on without a person. The engine has one asked, and the attempt is over. */
export const StepAsks = z.looseObject({
  ...answer,
  ask: Ask,
  meter: Meter.optional(),
  taint: z.array(z.string().max(200)).max(20).optional(),
})
export type StepAsks = z.infer<typeof StepAsks>
/** The service will try the same dispatch again; the lease is extended to `untilMs` plus the time of one dispatch. */
export const StepRetrying = z.looseObject({ ...answer, untilMs: EpochMs, tries: z.number().int(), fault: FaultDataSchema })
export type StepRetrying = z.infer<typeof StepRetrying>
/** A dependency is down; the step's timeout rests until then. Not an attempt. */
export const StepDeferred = z.looseObject({ ...answer, untilMs: EpochMs, reason: z.string() })
export type StepDeferred = z.infer<typeof StepDeferred>
/** Long work is still going on. */
export const StepExtended = z.looseObject({ ...answer, untilMs: EpochMs })
export type StepExtended = z.infer<typeof StepExtended>
/** The command came after its deadline and was not started. */
export const StepExpired = z.looseObject({ ...answer, deadlineMs: EpochMs })
export type StepExpired = z.infer<typeof StepExpired>

/** Work of a step for another team's service; the whole message, for consumers that know nothing of Baton (A16). */
export const TaskRequested = z.looseObject({
  runId: RunId,
  step: z.string().meta({ description: 'the place in the run' }),
  attemptId: z.string().meta({ description: 'goes back in the answer' }),
  deadline: EpochMs.meta({ description: 'milliseconds since 1970; later answers change nothing' }),
  input: JsonValue,
  answerPartition: z.number().int().nonnegative().meta({ description: 'the partition of baton.events to answer on' }),
})
export type TaskRequested = z.infer<typeof TaskRequested>
