import { describe, expect, it } from '@jest/globals'
import { decodeEvent, encodeEvent, eventDecoder } from './envelope.ts'
import { EXAMPLES } from './examples.ts'
import { isJsonObject, type Json } from './json.ts'
import { contractNames, contractOfType, CONTRACTS, wireType } from './registry.ts'
import { majorOf, upcast, UPCASTS, versionOf, type Upcast } from './upcasts.ts'

/** A made-up past: v0.0 called the run `id`, v0.1 knew `by` under the name `who`. */
const STEPS: readonly Upcast[] = [
  { contract: 'run.cancel', from: '0.0', to: '0.1', up: ({ id, ...rest }) => ({ ...rest, ...(id === undefined ? {} : { runId: id }) }) },
  { contract: 'run.cancel', from: '0.1', to: '1.0', up: ({ who, ...rest }) => ({ ...rest, ...(who === undefined ? {} : { by: who }) }) },
]
const run = EXAMPLES['run.cancel'].runId
const reason = 'the order was changed'
const record = (version: string, data: object) => ({
  headers: { ce_id: 'e', ce_type: `baton.run.cancel.v${version.split('.')[0] ?? ''}`, ce_dataschema: `urn:baton:run.cancel:${version}` },
  value: Buffer.from(JSON.stringify(data)),
})

describe('upcasts', () => {
  it('U1: a record of every earlier version reads as one of the present version', () => {
    const present = { runId: run, by: 'anna', reason }
    expect(eventDecoder(STEPS)(record('0.0', { id: run, who: 'anna', reason }))).toMatchObject({ name: 'run.cancel', data: present })
    expect(eventDecoder(STEPS)(record('0.1', { runId: run, who: 'anna', reason }))).toMatchObject({ name: 'run.cancel', data: present })
  })
  it('U1: a step is given a value and changes none', () => {
    const data = Object.freeze({ id: run, who: 'anna' })
    const steps = { contract: 'run.cancel', version: '0.0', present: '1.0', steps: STEPS } as const
    expect(upcast(data, steps)).toEqual(upcast(data, steps))
    expect(data).toEqual({ id: run, who: 'anna' })
  })
  it('U2: the present version and later minor ones pass untouched', () => {
    expect(eventDecoder(STEPS)(record('1.0', { runId: run, by: 'anna', reason }))).toMatchObject({ data: { runId: run, by: 'anna' } })
    expect(decodeEvent(record('1.7', { runId: run, by: 'anna', reason, mood: 'calm' }))).toMatchObject({ data: { runId: run } })
  })
  it('U3: a version from before the first step is undecodable, as is a type nobody knows', () => {
    const [, second] = STEPS
    expect(() => eventDecoder(second === undefined ? [] : [second])(record('0.0', { id: run }))).toThrow('older than any')
    expect(() => decodeEvent(record('0.0', { id: run }))).toThrow('unknown event type')
  })
  it('takes the version from the schema, else from the type', () => {
    expect(versionOf({ ce_type: 'baton.run.cancel.v2' })).toBe('2.0')
    expect(versionOf({ ce_type: 'baton.run.cancel.v2', ce_dataschema: 'urn:baton:run.cancel:1.3' })).toBe('1.3')
  })
  it('every step there is begins before the present version and leads to it', () => {
    for (const { contract, from } of UPCASTS) {
      const { major, minor } = CONTRACTS[contract]
      expect(contractOfType(`${CONTRACTS[contract].name}.v${majorOf(from)}`)).toBe(contract)
      expect(() => upcast({}, { contract, version: from, present: `${major}.${minor}` })).not.toThrow('older than any')
    }
  })
})

/** Maps whose keys are the sender's own, and JSON that is the flow's: a key more is another entry there, not a field nobody knows. */
const OPEN = new Set(['labels', 'params', 'flows', 'steps', 'detail', 'input', 'output', 'limits', 'parts'])
/** The value with a field nobody knows in every object of a contract. */
const withUnknown = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(withUnknown)
  if (!isJsonObject(value)) return value
  const fields = Object.entries(value).map(([key, inner]) => [key, OPEN.has(key) ? inner : withUnknown(inner)] as const)
  return { ...Object.fromEntries(fields), 'x-later': { is: 'added' } }
}

describe('unknown fields', () => {
  it.each(contractNames())('%s: what a later version adds does not trouble a reader of this one', (name) => {
    const data: Json = JSON.parse(JSON.stringify(EXAMPLES[name])) as Json
    const event = encodeEvent({ id: 'e', source: '/s', subject: 'r', tenant: 't', name, data: EXAMPLES[name] } as Parameters<
      typeof encodeEvent
    >[0])
    const later = { ...event, value: Buffer.from(JSON.stringify(withUnknown(data))) }
    expect(decodeEvent(later)).toMatchObject({ name, data })
    expect(later.headers['ce_type']).toBe(wireType(name))
  })
})
