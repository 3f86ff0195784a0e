import { describe, expect, it } from '@jest/globals'
import type { Answered, Json } from '@baton/contracts'
import {
  askOf,
  fingerprintOfQuestion,
  parkedOf,
  questionOf,
  replyOf,
  responsesOf,
  unanswered,
  withReply,
  type Parked,
} from './elicitation.policy.ts'

const schema = { type: 'object', properties: { reason: { type: 'string' } }, required: ['reason'] }
const parked: Parked = { server: 'crm', tool: 'refund', replies: {} }
const answered = (state: Json | undefined): Answered => ({
  taskId: 't',
  verdict: 'respond',
  output: { reason: 'broken' },
  by: 'jo',
  fingerprint: '',
  decidedAtMs: 0,
  ...(state === undefined ? {} : { state }),
})

describe('a question of a server', () => {
  it('is read from its parameters, or is none', () => {
    expect(questionOf({ message: 'Why?', requestedSchema: schema })).toEqual({ message: 'Why?', schema })
    expect(questionOf({ mode: 'url', message: 'Sign in', url: 'https://x.example' })).toEqual({
      message: 'Sign in',
      url: 'https://x.example',
    })
    expect([questionOf({ requestedSchema: schema }), questionOf('Why?'), questionOf(undefined)]).toEqual([undefined, undefined, undefined])
  })

  it('Q1: carries the call with it, and finds it again with the answer', () => {
    const ask = askOf({ message: 'Why?', schema }, { ...parked, requestState: 's' }, { args: { amount: 7 } })
    expect(ask).toMatchObject({ kind: 'question', use: 'answer', title: 'crm/refund asks: Why?', allowed: ['respond', 'reject'], schema })
    const state = JSON.parse(JSON.stringify(ask.state)) as Json // over the bus
    expect(parkedOf(answered(state), { server: 'crm', tool: 'refund' })).toMatchObject({ requestState: 's', question: { message: 'Why?' } })
    expect(parkedOf(answered(state), { server: 'crm', tool: 'other' })).toBeUndefined()
    expect(parkedOf(answered(undefined), { server: 'crm', tool: 'refund' })).toBeUndefined()
    expect(parkedOf(answered({ mcp: { server: 'crm', tool: 'refund', replies: 'x' } }), { server: 'crm', tool: 'refund' })).toBeUndefined()
  })

  it('wants a yes or no where there is nothing to fill in', () => {
    expect(askOf({ message: 'Sure?' }, parked, { args: {} }).allowed).toEqual(['approve', 'reject'])
    expect(askOf({ message: 'x'.repeat(900), url: 'https://x.example' }, parked, { args: {} })).toMatchObject({
      allowed: ['approve', 'reject'],
      input: { url: 'https://x.example' },
      title: expect.stringMatching(/^.{299}…$/),
    })
  })

  it('Q2: an answer is for the same words and the same schema; the next question is another one', () => {
    const questions = { a: { message: 'A?', schema }, b: { message: 'B?' } }
    const first = withReply(parked, questions.a, { action: 'accept', content: { reason: 'x' } })
    expect(fingerprintOfQuestion(questions.a)).not.toBe(fingerprintOfQuestion({ message: 'A?' }))
    expect(unanswered(questions, first)).toEqual(questions.b)
    const both = withReply(first, questions.b, { action: 'decline' })
    expect(unanswered(questions, both)).toBeUndefined()
    expect(responsesOf(questions, both)).toEqual({ a: { action: 'accept', content: { reason: 'x' } }, b: { action: 'decline' } })
  })

  it('Q3: only what a person accepted is accepted', () => {
    expect(replyOf({ verdict: 'reject', output: { reason: 'x' } })).toEqual({ action: 'decline' })
    expect(replyOf({ verdict: 'respond', output: { reason: 'x' } })).toEqual({ action: 'accept', content: { reason: 'x' } })
    expect(replyOf({ verdict: 'approve', output: null })).toEqual({ action: 'accept' })
  })
})
