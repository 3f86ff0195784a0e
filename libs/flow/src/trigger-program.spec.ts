import { describe, expect, it } from '@jest/globals'
import { loadTrigger } from './trigger-program.ts'

const tickets = { kind: 'topic', topic: 'tickets' } as const
const event = { kind: 'ticket', id: 17, text: 'hi', tags: ['a'] }

describe('a trigger', () => {
  it('takes every event as it is where it says nothing', () => {
    const trigger = loadTrigger(tickets)
    expect([trigger.matches(event), trigger.key(event), trigger.input(event)]).toEqual([true, undefined, event])
  })

  it('chooses events, names them by their key, and makes the input of them', () => {
    const trigger = loadTrigger({
      ...tickets,
      when: 'event.kind == "ticket"',
      key: 'event.id',
      input: { object: { text: { cel: 'event.text' }, tags: { list: [{ cel: 'event.tags[0]' }, { lit: 'new' }] } } },
    })
    expect([trigger.matches(event), trigger.matches({ kind: 'mail' })]).toEqual([true, false])
    expect(trigger.key(event)).toBe('17')
    expect(trigger.input(event)).toEqual({ text: 'hi', tags: ['a', 'new'] })
  })

  it('an event without what is asked for is expression.failed, and so is a key that names nothing', () => {
    const trigger = loadTrigger({ ...tickets, when: 'event.kind == "ticket"', key: 'event.id' })
    expect(() => trigger.matches({})).toThrow(expect.objectContaining({ code: 'expression.failed' }))
    for (const id of ['', null, ['a'], 'x'.repeat(201)])
      expect(() => trigger.key({ id })).toThrow(expect.objectContaining({ code: 'expression.failed' }))
  })

  it('sees nothing but the event: there is no run yet', () => {
    expect(() => loadTrigger({ ...tickets, key: 'answer.id' }).key(event)).toThrow(expect.objectContaining({ code: 'expression.failed' }))
    expect(() => loadTrigger({ ...tickets, key: 'event.' })).toThrow(expect.objectContaining({ code: 'flow.invalid' }))
  })
})
