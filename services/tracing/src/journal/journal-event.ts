// A record of the journal or of the results, decoded as cheaply as can be: our own services encoded it by its contract, so only what
// every row needs is checked here, and the rest by the column types when the row is written.
import {
  contractOfType,
  DEFAULT_TENANT,
  Fault,
  isJsonObject,
  parseJson,
  presentData,
  type ContractName,
  type Message,
} from '@baton/contracts'

const NAMES = [
  'journal.run.started',
  'journal.run.ended',
  'journal.run.controlled',
  'journal.event.received',
  'journal.step.opened',
  'journal.step.dispatched',
  'journal.step.completed',
  'journal.step.failed',
  'journal.step.waiting',
  'journal.step.decided',
  'journal.answer.ignored',
  'review.requested',
  'review.claimed',
  'review.decided',
  'review.expired',
  'run.completed',
  'run.failed',
  'run.cancelled',
  'run.rejected',
] as const satisfies readonly ContractName[]
type TracedName = (typeof NAMES)[number]

/** An event that leaves something in the trace. `atMs` is the time of its source. */
export type TracedEvent = { readonly id: string; readonly tenant: string; readonly atMs: number; readonly message: Message<TracedName> }

const isTraced = (name: string | undefined): name is TracedName => (NAMES as readonly (string | undefined)[]).includes(name)

type JournalRecord = { readonly headers: Readonly<Record<string, string>>; readonly value: Uint8Array; readonly timestampMs: number }

/** Undefined for a type that tracing does not keep. Throws `message.undecodable`. */
export const readJournal = (record: JournalRecord): TracedEvent | undefined => {
  const { headers } = record
  const name = contractOfType(headers['ce_type'] ?? '')
  if (!isTraced(name)) return undefined
  const data = presentData(name, { headers, data: parseJson(record.value) })
  if (!isJsonObject(data)) throw missing(name, '(root)')
  const needed = name.startsWith('journal.') ? TRANSITION_FIELDS : RUN_FIELDS
  for (const [field, type] of needed) if (typeof data[field] !== type) throw missing(name, field)
  const { tenant, atMs } = data
  return {
    id: headers['ce_id'] ?? '',
    tenant: typeof tenant === 'string' ? tenant : (headers['ce_tenant'] ?? DEFAULT_TENANT),
    atMs: typeof atMs === 'number' ? atMs : sourceTimeMs(record),
    // The type in the header names the contract by which the data was encoded.
    message: { name, data } as unknown as TracedEvent['message'],
  }
}

const RUN_FIELDS = [['runId', 'string']] as const
const TRANSITION_FIELDS = [...RUN_FIELDS, ['atMs', 'number'], ['seq', 'number']] as const

const missing = (name: string, field: string): Fault =>
  new Fault('message.undecodable', `${name}: ${field} is missing or of another type`, { field })

const sourceTimeMs = ({ headers, timestampMs }: JournalRecord): number => {
  const atMs = Date.parse(headers['ce_time'] ?? '')
  return Number.isNaN(atMs) ? timestampMs : atMs
}
