// CloudEvents 1.0 on Kafka, binary mode: attributes in `ce_*` headers, JSON as value.
// Source: cloudevents/spec, kafka-protocol-binding.md, section 3.2. Our own codec because the official SDK cannot
// read Buffer headers and costs ten times as much; a test holds both against each other.
import { Fault } from './fault.ts'
import {
  checkMessage,
  contractFinder,
  presentData,
  wireSchema,
  wireType,
  type ContractName,
  type Message,
  type MessageOf,
} from './registry.ts'
import { UPCASTS, type Upcast } from './upcasts.ts'

/** A record as it lies on a topic. Header values are text. */
export type WireRecord = {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Buffer
}

/** What surrounds the data of an event. */
export type EventAttributes = {
  /** Deterministic; consumers drop repeats by it. */
  readonly id: string
  /** The service that made it, `/baton/models`. */
  readonly source: string
  /** The run id; also the key. */
  readonly subject: string
  readonly tenant: string
  /** ISO 8601; when the source made it. */
  readonly time: string
  readonly correlationId?: string
  /** W3C trace context of this hop. */
  readonly traceparent?: string
}

export type Event<Name extends ContractName = ContractName> = EventAttributes & Message<Name>

/** What to encode: the name and data are checked by the compiler, not again at run time. */
export type OutgoingEvent<Name extends ContractName = ContractName> = Omit<EventAttributes, 'time'> & { readonly time?: string } & {
  readonly name: Name
  readonly data: MessageOf<Name>
}

/** An event as a record. */
export const encodeEvent = <Name extends ContractName>(event: OutgoingEvent<Name>): WireRecord => {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: wireType(event.name),
    ce_subject: event.subject,
    ce_dataschema: wireSchema(event.name),
    ce_tenant: event.tenant,
    'content-type': 'application/json',
  }
  if (event.time !== undefined) headers['ce_time'] = event.time
  if (event.correlationId !== undefined) headers['ce_correlationid'] = event.correlationId
  if (event.traceparent !== undefined) headers['traceparent'] = event.traceparent
  return { key: event.subject, headers, value: Buffer.from(JSON.stringify(event.data)) }
}

type EventRecord = { readonly headers: Readonly<Record<string, string>>; readonly value: Uint8Array }

/** A decoder that knows other steps than those there are: for tests of versions that never were. */
export const eventDecoder = (steps: readonly Upcast[]): ((record: EventRecord) => Event) => {
  const find = contractFinder(steps)
  return ({ headers, value }) => {
    const type = headers['ce_type']
    const name = type === undefined ? undefined : find(type)
    if (name === undefined) throw new Fault('message.undecodable', `unknown event type ${type ?? '(none)'}`, { field: 'ce_type' })
    const data = checkMessage(name, presentData(name, { headers, data: parseJson(value), steps }))
    // `data` was checked against the contract `name`, which is what the union pairs.
    const message = { name, data } as Message
    return {
      id: headers['ce_id'] ?? '',
      source: headers['ce_source'] ?? '',
      subject: headers['ce_subject'] ?? '',
      tenant: headers['ce_tenant'] ?? 'default',
      time: headers['ce_time'] ?? '',
      ...(headers['ce_correlationid'] === undefined ? {} : { correlationId: headers['ce_correlationid'] }),
      ...(headers['traceparent'] === undefined ? {} : { traceparent: headers['traceparent'] }),
      ...message,
    }
  }
}

const decode = eventDecoder(UPCASTS)

/** A record as an event, its data checked, in the present version of its contract. Throws `message.undecodable`; the caller keeps the bytes. */
export const decodeEvent = (record: EventRecord): Event => decode(record)

/** JSON from bytes, or `message.undecodable`. */
export const parseJson = (value: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'))
  } catch (error) {
    throw new Fault('message.undecodable', `the value is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      field: '(root)',
    })
  }
}
