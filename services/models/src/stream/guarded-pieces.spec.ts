import { describe, expect, it } from '@jest/globals'
import type { PieceSink } from '../attempts/dispatch.ts'
import { pieceGuard } from './guarded-pieces.ts'

const shown = () => {
  const calls: Record<number, { text: string; end?: string }> = {}
  const sink: PieceSink = {
    piece: (call, text) => {
      calls[call] = { ...calls[call], text: (calls[call]?.text ?? '') + text }
    },
    end: (call, how) => {
      calls[call] = { text: '', ...calls[call], end: how }
    },
  }
  return { calls, sink }
}
const say = (sink: PieceSink, call: number, text: string): void => {
  for (let at = 0; at < text.length; at += 7) sink.piece(call, text.slice(at, at + 7))
  sink.end(call, 'done')
}
const LONG = 'All is well and nothing is to be found here. '.repeat(12)
const on = (guard: string, options = {}) => ({ guard, options })

describe('guards on pieces of an answer (B11, D5)', () => {
  it('G1: what is redacted never leaves, and the rest does', () => {
    const { calls, sink } = shown()
    say(pieceGuard([on('pii', { action: 'redact' })])?.(sink) ?? sink, 1, `${LONG}Write to ann@mail.example now. ${LONG}`)
    expect(calls[1]).toEqual({ text: `${LONG}Write to [EMAIL] now. ${LONG}`, end: 'done' })
  })

  it('G2: what is blocked ends its call as broken; another call is looked at anew', () => {
    const { calls, sink } = shown()
    const guarded = pieceGuard([on('secrets')])?.(sink) ?? sink
    say(guarded, 1, `${LONG}ghp_abcdefghijklmnopqrstuvwxyz0123456789 ${LONG}`)
    say(guarded, 2, 'Fine.')
    expect(calls[1]?.end).toBe('broken')
    expect(calls[1]?.text).not.toContain('ghp_')
    expect(calls[2]).toEqual({ text: 'Fine.', end: 'done' })
  })

  it('G2: a guard that cannot run lets nothing more through', () => {
    const { calls, sink } = shown()
    say(pieceGuard([on('links', { deny: 7 })])?.(sink) ?? sink, 2, `${LONG} https://a.example/x ${LONG}`)
    expect(calls[2]?.end).toBe('broken')
    expect(calls[2]?.text).not.toContain('a.example')
  })

  it('G3: without guards on the output all leaves; with one that needs the whole nothing is streamed', () => {
    const { calls, sink } = shown()
    say(pieceGuard([on('length', { max: 5, on: 'input' })])?.(sink) ?? sink, 1, 'Hello there')
    expect(calls[1]).toEqual({ text: 'Hello there', end: 'done' })
    expect(pieceGuard([on('pii'), on('length', { max: 5 })])).toBeUndefined()
  })
})
