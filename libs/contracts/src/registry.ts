// The registry of messages: from it come decoders, types, JSON Schemas, AsyncAPI and the example in every test.
import { z } from 'zod'
import { Fault } from './fault.ts'
import * as config from './messages/config.ts'
import * as journal from './messages/journal.ts'
import * as model from './messages/model.ts'
import * as review from './messages/review.ts'
import * as run from './messages/run.ts'
import * as step from './messages/step.ts'
import { taskTopic, TOPICS } from './topics.ts'
import { majorOf, upcast, UPCASTS, versionOf, type Upcast } from './upcasts.ts'

/** One message: what it is called on the wire, where it goes, what is in it. */
export type Contract<T = unknown> = {
  /** `baton.step.completed`; the wire type adds `.v1`. */
  readonly name: string
  readonly major: number
  readonly minor: number
  /** Topics it travels on; a command has one per worker service. */
  readonly topics: readonly string[]
  readonly about: string
  readonly schema: z.ZodType<T>
}

const contract = <T>(name: string, topics: readonly string[], about: string, schema: z.ZodType<T>): Contract<T> => ({
  name,
  major: 1,
  minor: 0,
  topics,
  about,
  schema,
})
const commands = (service: string): readonly string[] => ['.high', '', '.bulk'].map((suffix) => `baton.${service}.commands${suffix}`)
const { requests, results, events, journal: journalTopic, stream: streamTopic, config: configTopic } = TOPICS

export const CONTRACTS = {
  'run.request': contract('baton.run.request', [requests], 'A product asks for a run', run.RunRequest),
  'run.requested': contract('baton.run.requested', [events], 'A run begins, everything pinned', run.RunRequested),
  'run.cancel': contract('baton.run.cancel', [events], 'Somebody wants the run to stop', run.RunCancel),
  'run.pause': contract('baton.run.pause', [events], 'Somebody wants the run to rest', run.RunPause),
  'run.resume': contract('baton.run.resume', [events], 'A paused run goes on', run.RunResume),
  'run.patch': contract('baton.run.patch', [events], 'The input or params of a paused run change', run.RunPatch),
  'run.retry': contract('baton.run.retry', [events], 'An ended run is to be run again', run.RunRetry),
  'run.event': contract('baton.run.event', [events], 'Something happened that the run may wait for', run.RunEvent),
  'run.continue': contract('baton.run.continue', [events], 'The rest of a large fan-out', run.RunContinue),
  'run.quarantine': contract('baton.run.quarantine', [events], 'A record that crashed its owner is set aside', run.RunQuarantine),
  'timer.matured': contract('baton.timer.matured', [events], 'A timer of the run is due', run.TimerMatured),
  'step.completed': contract('baton.step.completed', [events], 'The work of an attempt is done', step.StepCompleted),
  'step.failed': contract('baton.step.failed', [events], 'The work of an attempt failed', step.StepFailed),
  'step.asks': contract('baton.step.asks', [events], 'The service cannot go on without a person', step.StepAsks),
  'step.retrying': contract('baton.step.retrying', [events], 'The service will try the attempt again', step.StepRetrying),
  'step.deferred': contract('baton.step.deferred', [events], 'A dependency is down; the attempt waits', step.StepDeferred),
  'step.extended': contract('baton.step.extended', [events], 'Long work is still going on', step.StepExtended),
  'step.expired': contract('baton.step.expired', [events], 'The command came after its deadline', step.StepExpired),
  'review.decided': contract('baton.review.decided', [events, journalTopic], 'A person decided', review.ReviewDecided),
  'review.expired': contract('baton.review.expired', [events, journalTopic], 'Nobody decided in time', review.ReviewExpired),
  'review.requested': contract('baton.review.requested', [journalTopic], 'A task waits for a person', review.ReviewRequested),
  'review.claimed': contract('baton.review.claimed', [journalTopic], 'A person took the task', review.ReviewClaimed),
  'review.changed': contract(
    'baton.review.changed',
    [journalTopic],
    'A task changed hands, or is not needed any more',
    review.ReviewChanged,
  ),
  'review.scored': contract('baton.review.scored', [journalTopic], 'What a decision says about the work', review.ReviewScored),
  'model.invoke': contract('baton.model.invoke', commands('models'), 'Ask a model', step.StepCommand),
  'tool.call': contract('baton.tool.call', commands('tools'), 'Call a tool', step.StepCommand),
  'retrieval.search': contract('baton.retrieval.search', commands('tools'), 'Search an index', step.StepCommand),
  'check.evaluate': contract('baton.check.evaluate', commands('validation'), 'Check content', step.StepCommand),
  'review.request': contract('baton.review.request', commands('hitl'), 'Ask a person', step.StepCommand),
  'review.withdraw': contract('baton.review.withdraw', commands('hitl'), 'Nobody needs to be asked any more', review.ReviewWithdraw),
  'review.sample': contract('baton.review.sample', commands('hitl'), 'A person looks at what was decided without one', review.ReviewSample),
  'task.requested': contract('baton.task.requested', [taskTopic('{task}')], 'Another team does the work of a step', step.TaskRequested),
  'run.completed': contract('baton.run.completed', [results], 'The run is done', run.RunResult),
  'run.failed': contract('baton.run.failed', [results], 'The run failed', run.RunResult),
  'run.cancelled': contract('baton.run.cancelled', [results], 'The run was cancelled', run.RunResult),
  'run.rejected': contract('baton.run.rejected', [results], 'The request was not understood; there is no run', run.RunResult),
  'model.changed': contract('baton.model.changed', [journalTopic], 'A provider answers with another snapshot', model.ModelChanged),
  'model.routed': contract('baton.model.routed', [journalTopic], 'Why this model, and what was asked of which', model.ModelRouted),
  'stream.piece': contract('baton.stream.piece', [streamTopic], 'A piece of the text that a model is writing', model.StreamPiece),
  'config.changed': contract('baton.config.changed', [configTopic], 'A document of configuration changed', config.ConfigChanged),
  'journal.run.started': contract('baton.journal.run.started', [journalTopic], 'The run began', journal.JournalRunStarted),
  'journal.step.dispatched': contract(
    'baton.journal.step.dispatched',
    [journalTopic],
    'The work of a step was asked for',
    journal.JournalStepDispatched,
  ),
  'journal.step.opened': contract('baton.journal.step.opened', [journalTopic], 'A step made of others began', journal.JournalStepOpened),
  'journal.step.completed': contract('baton.journal.step.completed', [journalTopic], 'A step has its output', journal.JournalStepCompleted),
  'journal.step.failed': contract('baton.journal.step.failed', [journalTopic], 'An attempt of a step failed', journal.JournalStepFailed),
  'journal.step.waiting': contract('baton.journal.step.waiting', [journalTopic], 'An attempt goes on later', journal.JournalStepWaiting),
  'journal.step.decided': contract('baton.journal.step.decided', [journalTopic], 'A switch, gate or handler chose', journal.JournalDecided),
  'journal.run.controlled': contract(
    'baton.journal.run.controlled',
    [journalTopic],
    'Somebody changed the course of the run',
    journal.JournalRunControlled,
  ),
  'journal.event.received': contract(
    'baton.journal.event.received',
    [journalTopic],
    'An event from outside arrived',
    journal.JournalEventReceived,
  ),
  'journal.answer.ignored': contract(
    'baton.journal.answer.ignored',
    [journalTopic],
    'An answer that changes nothing',
    journal.JournalAnswerIgnored,
  ),
  'journal.run.ended': contract('baton.journal.run.ended', [journalTopic], 'The run has its result', journal.JournalRunEnded),
} as const

export type ContractName = keyof typeof CONTRACTS
/** The data of a message by the name of its contract. */
export type MessageOf<Name extends ContractName> = (typeof CONTRACTS)[Name] extends Contract<infer T> ? T : never
/** A message as `{ name, data }`, for every name of the list: a union to switch on. */
export type Message<Name extends ContractName = ContractName> = { [N in Name]: { readonly name: N; readonly data: MessageOf<N> } }[Name]

/** The wire type: `baton.step.completed.v1`. */
export const wireType = (name: ContractName): string => `${CONTRACTS[name].name}.v${CONTRACTS[name].major}`
/** The wire schema: `urn:baton:step.completed:1.0`. */
export const wireSchema = (name: ContractName): string =>
  `urn:baton:${CONTRACTS[name].name.slice('baton.'.length)}:${CONTRACTS[name].major}.${CONTRACTS[name].minor}`

const isContractName = (name: string): name is ContractName => Object.hasOwn(CONTRACTS, name)
/** Every contract, in the order of the registry. */
export const contractNames = (): readonly ContractName[] => Object.keys(CONTRACTS).filter(isContractName)
/** Finds the contract behind a wire type: of the present version, or of one that steps lead away from. */
export const contractFinder = (steps: readonly Upcast[]): ((type: string) => ContractName | undefined) => {
  const older = steps.map(({ contract: name, from }) => [`${CONTRACTS[name].name}.v${majorOf(from)}`, name] as const)
  const byWireType = new Map([...older, ...contractNames().map((name) => [wireType(name), name] as const)])
  return (type) => byWireType.get(type)
}
/** The contract behind a wire type, or undefined for a foreign one. */
export const contractOfType = contractFinder(UPCASTS)

/** The data of a record in the present version of its contract, whichever version it was written in. */
export const presentData = (
  name: ContractName,
  { headers, data, steps = UPCASTS }: { headers: Readonly<Record<string, string>>; data: unknown; steps?: readonly Upcast[] },
): unknown =>
  upcast(data, { contract: name, version: versionOf(headers), present: `${CONTRACTS[name].major}.${CONTRACTS[name].minor}`, steps })

/** Checks data against its contract; throws `message.undecodable` naming the first wrong field. */
export const checkMessage = <Name extends ContractName>(name: Name, data: unknown): MessageOf<Name> => {
  const parsed = CONTRACTS[name].schema.safeParse(data)
  // The schema of a name parses to the data of that name: both come from the same entry of CONTRACTS.
  if (parsed.success) return parsed.data as MessageOf<Name>
  const issue = parsed.error.issues[0]
  const field = issue === undefined || issue.path.length === 0 ? '(root)' : issue.path.join('.')
  throw new Fault('message.undecodable', `${wireType(name)}: ${field}: ${issue?.message ?? 'invalid'}`, { field })
}
