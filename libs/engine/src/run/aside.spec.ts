import { describe, expect, it } from '@jest/globals'
import {
  askedFor,
  asks,
  at,
  completed,
  decided,
  failed,
  given,
  inWords,
  play,
  programOf,
  requested,
  resultIn,
  reviewExpired,
  turned,
  woken,
  type Step,
} from '../testing.ts'

const start = requested({ text: 'hi' }, { engineVersion: 2 })
const tool = programOf('input: { text: string }\nsteps:\n  - pay: { tool: bank/pay, with: { text: =input.text } }\n')
const outputOf = (program: ReturnType<typeof programOf>, ...steps: readonly Step[]): unknown =>
  resultIn(play(program, [start, ...steps]).outputs)?.result.output

describe('a service that asks a person in the middle of its work (C5, E2)', () => {
  const asked = asks('pay/1', { fingerprint: 'abc', state: { step: 3 }, risk: 'irreversible', queue: 'money', priority: 'high' })

  it('aside/G1: has the person asked, in its name; what goes back to it is nobody else’s to see', () => {
    const next = given(tool, start).when(asked)
    next.emits('waiting pay/1 asks', 'ask review.request pay/ask[1]/2 high', 'dispatched pay/ask[1]/2')
    const command = askedFor(next.outputs, 'pay/ask[1]')
    expect(command).toMatchObject({ kind: 'human', nodeId: 'pay', input: { draft: 1 }, ask: { fingerprint: 'abc', queue: 'money' } })
    expect(command?.ask).not.toHaveProperty('state')
  })

  it('aside-ends/N2: what was said goes back with the same work, under the same effect key', () => {
    const first = askedFor(given(tool, start).outputs, 'pay')
    const again = askedFor(given(tool, start, asked).when(decided('pay/ask[1]/2', 'approve', 1)).outputs, 'pay')
    expect(again).toMatchObject({
      attemptId: 'run_1/pay/3',
      effectKey: first?.effectKey,
      answered: { verdict: 'approve', by: 'human:ada', taskId: 'task_1', state: { step: 3 } },
    })
  })

  it('aside-ends/N2: and goes with it again when that attempt is lost', () => {
    const lost = given(tool, start, asked, decided('pay/ask[1]/2', 'approve', 1)).when(at(600_000, woken()))
    expect(askedFor(lost.outputs, 'pay')).toMatchObject({ attemptId: 'run_1/pay/4', answered: { verdict: 'approve' } })
  })

  it('a rejection goes back to the service as well, which knows what it means', () => {
    const next = given(tool, start, asked).when(decided('pay/ask[1]/2', 'reject', null))
    expect(askedFor(next.outputs, 'pay')?.answered).toMatchObject({ verdict: 'reject' })
  })

  it('silence is never consent: the step fails', () => {
    const next = given(tool, start, asked).when(reviewExpired('pay/ask[1]/2'))
    expect(resultIn(next.outputs)?.result.fault).toMatchObject({ code: 'review.expired' })
  })

  it('R2, R7: the decision counts once, and only for what was asked', () => {
    given(tool, start, asked, decided('pay/ask[1]/2', 'approve', 1))
      .when(decided('pay/ask[1]/2', 'reject'))
      .emits('ignored pay/ask[1]/2 duplicate 0')
    given(tool, start, asked).when(completed('pay/ask[1]/2', 'yes')).emits('ignored pay/ask[1]/2 unknown 0')
    given(tool, start, asked).when(asked).emits('ignored pay/1 duplicate 0')
  })

  it('aside/G2: a service that asks without end fails its step', () => {
    const rounds = Array.from({ length: 40 }, (_, index) => [
      asks(`pay/${index * 2 + 1}`),
      decided(`pay/ask[${index + 1}]/${index * 2 + 2}`, 'respond', 'x'),
    ]).flat()
    const next = given(tool, start, ...rounds).when(asks('pay/81'))
    expect(resultIn(next.outputs)?.result.fault).toMatchObject({ code: 'agent.repeating' })
  })

  it('what a person decides about an output is the output', () => {
    const flow = programOf('input: { text: string }\nsteps:\n  - a: { model: m, prompt: Say it. }\n')
    const draft = asks('a/1', { use: 'output', kind: 'edit', input: { draft: 'so' } })
    expect(outputOf(flow, draft, decided('a/ask[1]/2', 'edit', 'thus'))).toBe('thus')
    const refused = play(flow, [start, draft, decided('a/ask[1]/2', 'reject', null)])
    expect(resultIn(refused.outputs)?.result.fault).toMatchObject({ code: 'review.rejected' })
  })

  it('A7: a call of an agent asks likewise, and its turn gets what came of it', () => {
    const agents = 'agents:\n  clerk: { model: m, prompt: You help., tools: [bank/pay], for: [x], limits: { turns: 4 } }\n'
    const flow = programOf(`${agents}input: { text: string }\nsteps:\n  - a: { agent: clerk, with: { text: hi } }\n`)
    const call = turned('a/turn[1]/1', { calls: [{ id: 'c', tool: 'bank/pay', arguments: { amount: 5 } }] })
    const path = 'a/turn[1]/call[0]'
    const approved = [start, call, asks(`${path}/1`), decided(`${path}/ask[1]/2`, 'approve', 1)]
    expect(askedFor(play(flow, approved).outputs.slice(-3), path)).toMatchObject({
      call: { tool: 'bank/pay' },
      input: { amount: 5 },
      answered: { verdict: 'approve' },
    })
    const next = given(flow, ...approved).when(failed(`${path}/3`, 'approval.refused'))
    expect(askedFor(next.outputs, 'a/turn[2]')?.turn?.results).toMatchObject([{ fault: { code: 'approval.refused' } }])
  })

  it('the working time of the run rests while only the person is waited for', () => {
    const slow = programOf('limits: { time: 60s, total: 2h }\nsteps:\n  - pay: { tool: bank/pay }\n')
    const next = given(slow, start, asks('pay/1')).when(at(3_000_000, decided('pay/ask[1]/2', 'approve', 1)))
    expect(askedFor(next.outputs, 'pay')?.answered).toBeDefined()
  })

  it('a question that nobody needs any more is withdrawn', () => {
    const race = programOf('steps:\n  - a: { parallel: { x: { tool: x }, y: { tool: y } }, join: first }\n')
    const next = given(race, start, asks('a/x/1')).when(completed('a/y/1', 'done'))
    expect(next.outputs.map(inWords)).toContain('withdraw a/x/ask[1]/2')
  })
})

describe('guards of a step (D5)', () => {
  const flow = (guard: string): ReturnType<typeof programOf> =>
    programOf(
      `input: { text: string }\nsteps:\n  - a: { model: m, prompt: 'Say {{ text }}', with: { text: =input.text }, guard: [${guard}] }\n`,
    )
  const both = flow('pii')
  const verdict = (action: string, more: object = {}) => ({
    ok: action !== 'block',
    action,
    score: 1,
    findings: [],
    reasons: ['seen'],
    ...more,
  })
  const clean = completed('a/guard[input]/1', verdict('pass'))

  it('aside/G1: nothing goes in before they have let it pass', () => {
    const begin = given(both, start)
    expect(askedFor(begin.outputs, 'a')).toBeUndefined()
    expect(askedFor(begin.outputs, 'a/guard[input]')).toMatchObject({
      kind: 'check',
      nodeId: 'a',
      guard: { on: 'input' },
      input: { text: 'hi' },
    })
    expect(askedFor(given(both, start).when(clean).outputs, 'a')).toMatchObject({ input: { text: 'hi' }, attemptId: 'run_1/a/2' })
  })

  it('aside/G1: what they take out of the input does not go in', () => {
    const next = given(both, start).when(completed('a/guard[input]/1', verdict('redact', { value: { text: '[name]' } })))
    expect(askedFor(next.outputs, 'a')).toMatchObject({ input: { text: '[name]' } })
  })

  it('aside/G1: nothing comes out before they have looked, and what they take out is gone', () => {
    const out = given(both, start, clean).when(completed('a/2', 'Call 555-1234'))
    expect(askedFor(out.outputs, 'a/guard[output]')).toMatchObject({ input: 'Call 555-1234', guard: { on: 'output' } })
    expect(resultIn(out.outputs)).toBeUndefined()
    const redacted = completed('a/guard[output]/3', verdict('redact', { value: 'Call [phone]' }))
    expect(outputOf(both, clean, completed('a/2', 'Call 555-1234'), redacted)).toBe('Call [phone]')
  })

  it('aside-ends/N1: what they block is the fault of the step, also when the answer cannot be read', () => {
    const blocked = given(both, start).when(completed('a/guard[input]/1', verdict('block')))
    expect(resultIn(blocked.outputs)?.result.fault).toMatchObject({ code: 'guard.blocked', detail: { node: 'a', on: 'input' } })
    const strange = given(both, start).when(completed('a/guard[input]/1', 'fine'))
    expect(resultIn(strange.outputs)?.result.fault).toMatchObject({ code: 'guard.blocked' })
  })

  it('one that cannot run fails the step: it is closed', () => {
    const next = given(both, start).when(failed('a/guard[input]/1', 'handler.failed'))
    expect(resultIn(next.outputs)?.result.fault).toMatchObject({ code: 'handler.failed' })
  })

  it('one of the output alone does not look at the input', () => {
    const program = flow('{ pii: { on: output } }')
    expect(askedFor(given(program, start).outputs, 'a')).toBeDefined()
    expect(outputOf(program, completed('a/1', 'so'), completed('a/guard[output]/2', verdict('flag')))).toBe('so')
  })

  it('may ask a person, whose word counts for the content', () => {
    const asked = asks('a/guard[input]/1', { use: 'output', kind: 'edit' })
    const edited = given(both, start, asked).when(decided('a/ask[2]/2', 'edit', { text: 'ho' }))
    expect(askedFor(edited.outputs, 'a')).toMatchObject({ input: { text: 'ho' } })
    const refused = given(both, start, asked).when(decided('a/ask[2]/2', 'reject', null))
    expect(resultIn(refused.outputs)?.result.fault).toMatchObject({ code: 'review.rejected' })
  })

  it('look again when a gate asks the step again', () => {
    const again = programOf(
      'input: { text: string }\nsteps:\n  - a: { model: m, prompt: Say., returns: { n: number }, guard: [{ pii: { on: output } }], gate: [{ when: it.n > 1, then: next }, { when: it.n == 1, then: { retry: { attempts: 1 } } }, { else: fail }] }\n',
    )
    const low = [completed('a/1', { n: 1 }), completed('a/guard[output]/2', verdict('pass'))]
    const next = given(again, start, ...low).when(completed('a/3', { n: 2 }))
    expect(askedFor(next.outputs, 'a/guard[output]')).toMatchObject({ input: { n: 2 } })
  })

  it('a fault of what stands in goes to the next way, and no way is taken twice', () => {
    const ways = programOf(
      'input: { text: string }\nsteps:\n  - a: { tool: x, guard: [{ pii: { on: output } }], failover: [{ tool: y }, { set: { t: last } }] }\n',
    )
    const block = (path: string): Step => completed(path, verdict('block'))
    const first = [completed('a/1', 'one'), block('a/guard[output]/2'), completed('a/failover[0]/1', 'two')]
    const next = given(ways, start, ...first).when(block('a/guard[output]/3'))
    expect(next.outputs.map(inWords)).toEqual(expect.arrayContaining(['handler a: failover 2', 'ask check.evaluate a/guard[output]/4']))
    expect(
      resultIn(play(ways, [start, ...first, block('a/guard[output]/3'), block('a/guard[output]/4')]).outputs)?.result.fault,
    ).toMatchObject({
      code: 'guard.blocked',
    })
  })
})
