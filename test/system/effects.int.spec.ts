// Effects under crashes, time-outs and repeats: what was needed happens, once (slice 4, C3, C4, R2, R3, R6).
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { commandTopic, TOPICS } from '@baton/contracts'
import type { BusRecord } from '@baton/bus'
import { callsOf, plan, sent } from './effect-tools.ts'
import { openSystem, until, type System } from './system.ts'

/** One tool step; `more` says how it is tried and what follows when it failed. */
const flow = (name: string, tool: string, more = ''): string => `
flow: test/${name}@1.0.0
limits: { time: 30s }
input: { text: string }
steps:
  - send:
      tool: test/${tool}
      with: { text: =input.text }
${more.replaceAll(/^/gm, '      ')}
output: { sent: =send.sent, by: =send.by }
`
const TRIES = 'retry: { attempts: 3, backoff: fixed, delay: 20ms, jitter: false }'
const PERSON = 'onError: { human: { queue: office, sla: 10m }, with: { text: =input.text, fault: =fault.code }, then: next }'

const FLOWS = {
  'tools/tools/tools.mjs': `export * from ${JSON.stringify(join(import.meta.dirname, 'effect-tools.ts'))}\n`,
  'letter/flow.yaml': flow('letter', 'letter', `${TRIES}\n${PERSON}`),
  'hurried/flow.yaml': flow('hurried', 'letter', `timeout: 300ms\n${PERSON}`),
  'stamp/flow.yaml': flow('stamp', 'stamp', TRIES),
  'parcel/flow.yaml': flow('parcel', 'parcel'),
  'look/flow.yaml': flow('look', 'look', `timeout: 300ms\n${TRIES}`).replace('=send.sent', '=send.found'),
  'closed/flow.yaml': flow('closed', 'letter', TRIES).replace('30s', '3s'),
  'desk/flow.yaml': `
flow: test/desk@1.0.0
input: { text: string, ticket: boolean }
steps:
  - seen: { tool: demo/echo, with: { text: =input.text } }
  - opened: { when: input.ticket, tool: support/create_ticket, with: { text: =seen.text } }
output: { ticket: '=opened == null ? null : opened.ticket' }
`,
}

jest.setTimeout(60_000)
let system: System
beforeAll(async () => {
  system = await openSystem({ flows: FLOWS })
})
afterAll(() => system.close())

const run = (name: string, text: string) => system.request({ id: text, flow: `test/${name}`, input: { text } })
const effects = (text: string) => sent(system.platform.db, text)
const failuresOf = (runId: string) => system.journal(runId).flatMap((event) => (event.name === 'journal.step.failed' ? [event.data] : []))

/** What a person finds in the queue of the office about a run, and decides. */
const decide = async (text: string, output: object): Promise<void> => {
  const { taskId } = await until('a review', async () => {
    const { body } = await system.http<{ items: readonly { taskId: string }[] }>('GET', '/v1/reviews?queue=office')
    const shown = await Promise.all(
      body.items.map((item) => system.http<{ taskId: string; input: { text: string } }>('GET', `/v1/reviews/${item.taskId}`)),
    )
    return shown.find((review) => review.body.input.text === text)?.body
  })
  expect((await system.http('POST', `/v1/reviews/${taskId}:decide`, { by: 'ada', verdict: 'respond', output })).status).toBe(200)
}

/** Everything on a topic, as anyone may read it. */
const everything = async (topic: string): Promise<readonly BusRecord[]> => {
  const { partitions } = await system.platform.bus.describe(topic)
  return (
    await Promise.all(
      partitions.map(({ partition, first }) => system.platform.bus.read({ topic, partition, offset: first, limit: 10_000 })),
    )
  ).flat()
}
const again = ({ topic, partition, key, value, headers }: BusRecord) => ({ topic, partition, key, value, headers })

describe('a tool that fails around its effect (C3)', () => {
  it('U4: crashed after it, the tool is asked what became of it, and the effect stands alone', async () => {
    plan('parcel crashes', 'crash after')
    const { result } = await run('parcel', 'parcel crashes')
    expect(result).toMatchObject({ status: 'completed', output: { sent: 'parcel crashes', by: 'tool:test/parcel' } })
    expect([await effects('parcel crashes'), callsOf('parcel crashes')]).toEqual([1, 1])
  })

  it('U3: crashed after it, a tool that has its effect once for its key is called again', async () => {
    plan('stamp crashes', 'crash after')
    expect((await run('stamp', 'stamp crashes')).result).toMatchObject({ status: 'completed', output: { sent: 'stamp crashes' } })
    expect([await effects('stamp crashes'), callsOf('stamp crashes')]).toEqual([1, 2])
  })

  it('U2: refused before it, any tool is called again', async () => {
    plan('letter refused', 'refuse before', 'refuse before')
    expect((await run('letter', 'letter refused')).result).toMatchObject({
      status: 'completed',
      output: { sent: 'letter refused', by: 'tool:test/letter' },
    })
    expect([await effects('letter refused'), callsOf('letter refused')]).toEqual([1, 3])
  })

  it('X3: crashed after it and unable to tell, it is never done again: a person decides', async () => {
    plan('letter crashes', 'crash after')
    const done = run('letter', 'letter crashes')
    await decide('letter crashes', { sent: 'it was sent' })
    const { result } = await done
    expect(result).toMatchObject({ status: 'completed', output: { sent: 'it was sent', by: 'human:ada' }, metrics: { escalated: true } })
    expect(failuresOf(result.runId)).toMatchObject([{ fault: { code: 'effect.uncertain' } }])
    expect([await effects('letter crashes'), callsOf('letter crashes')]).toEqual([1, 1])
  })

  it('X3: hanging after it, it is left at its time, and never done again', async () => {
    plan('letter hangs', 'hang after')
    const done = run('hurried', 'letter hangs')
    await decide('letter hangs', { sent: 'it was sent' })
    expect((await done).result).toMatchObject({ status: 'completed', output: { by: 'human:ada' } })
    expect([await effects('letter hangs'), callsOf('letter hangs')]).toEqual([1, 1])
  })

  it('U1: one without effect is called again, whatever happened', async () => {
    plan('look hangs', 'hang after', 'refuse before')
    expect((await run('look', 'look hangs')).result).toMatchObject({ status: 'completed', output: { sent: 'look hangs' } })
    expect(callsOf('look hangs')).toBe(3)
  })

  it('W4, R8: when no try helps the command is a dead letter and the run fails with the fault', async () => {
    plan('office closed', ...Array.from({ length: 9 }, () => 'refuse before' as const))
    const { result } = await run('closed', 'office closed')
    expect(result).toMatchObject({ status: 'failed', fault: { code: 'tool.failed', message: 'the office is closed' } })
    expect(failuresOf(result.runId)).toMatchObject([{ deadLettered: true }])
    expect((await system.deadLetters('tools')).filter(({ headers }) => headers['ce_subject'] === result.runId)).toHaveLength(1)
    expect([await effects('office closed'), callsOf('office closed')]).toEqual([0, 3])
  })
})

describe('a command that is delivered again (C4)', () => {
  const commandsOf = async (runId: string) =>
    (await everything(commandTopic('tools'))).filter(({ headers }) => headers['ce_subject'] === runId)

  it('C2: after its answer it answers from the ledger', async () => {
    const { result } = await run('letter', 'delivered twice')
    const [command] = await commandsOf(result.runId)
    if (command === undefined) throw new Error('no command')
    await system.platform.bus.publish([again(command), again(command)])
    await until('both repeats in the journal', () => {
      const ignored = system.journal(result.runId).filter(({ name }) => name === 'journal.answer.ignored')
      return ignored.length === 2 ? true : undefined
    })
    expect([await effects('delivered twice'), callsOf('delivered twice')]).toEqual([1, 1])
  })

  it('C6: while the first delivery is under way it waits for it', async () => {
    plan('delivered at once', 'slow')
    await system.send(JSON.stringify({ id: 'delivered at once', flow: 'test/letter', input: { text: 'delivered at once' } }))
    const command = await until('the command', async () =>
      callsOf('delivered at once') === 0
        ? undefined
        : (await everything(commandTopic('tools'))).find(({ value }) => value.includes('delivered at once')),
    )
    // Another key, so that it is not behind the first delivery in its lane.
    await system.platform.bus.publish([{ ...again(command), key: 'elsewhere' }])
    const [published] = await system.results('delivered at once')
    expect(published?.result).toMatchObject({ status: 'completed', output: { by: 'tool:test/letter' } })
    await until('the repeat in the journal', () =>
      system.journal(published?.result.runId ?? '').find(({ name }) => name === 'journal.answer.ignored'),
    )
    expect([await effects('delivered at once'), callsOf('delivered at once')]).toEqual([1, 1])
  })

  it('C4: with other arguments it is refused, and nothing is done', async () => {
    const { result } = await run('letter', 'other arguments')
    const [command] = await commandsOf(result.runId)
    if (command === undefined) throw new Error('no command')
    const changed = { ...JSON.parse(command.value.toString()), input: { text: 'changed arguments' } }
    await system.platform.bus.publish([{ ...again(command), value: Buffer.from(JSON.stringify(changed)) }])
    await until('its refusal in the journal', () => system.journal(result.runId).find(({ name }) => name === 'journal.answer.ignored'))
    expect([await effects('other arguments'), await effects('changed arguments')]).toEqual([1, 0])
  })

  it('one ticket for every run that needed one, with every command delivered twice', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `desk-${n}`)
    await Promise.all(
      ids.map((id, n) => system.send(JSON.stringify({ id, flow: 'test/desk', input: { text: id, ticket: n % 2 === 0 } }), { key: id })),
    )
    const results = (await Promise.all(ids.map((id) => system.results(id)))).flat().map(({ result }) => result)
    expect(results.every(({ status }) => status === 'completed')).toBe(true)
    const mine = new Set(results.map(({ runId }) => runId))
    const commands = (await everything(commandTopic('tools'))).filter(({ headers }) => mine.has(headers['ce_subject'] ?? ''))
    expect(commands).toHaveLength(60)
    await system.platform.bus.publish(commands.map(again))
    await until('every repeat in the journal', () => {
      const ignored = [...mine].flatMap((runId) => system.journal(runId).filter(({ name }) => name === 'journal.answer.ignored'))
      return ignored.length === commands.length ? true : undefined
    })
    const reply = await system.platform.call({ service: 'tools', method: 'GET', path: '/v1/tickets?limit=500' })
    const { total, runs, items } = JSON.parse(reply.body) as {
      total: number
      runs: number
      items: readonly { runId: string; id: string }[]
    } // checked below
    expect([total, runs]).toEqual([20, 20])
    const needed = results.flatMap(({ runId, output }) =>
      (output as { ticket: string | null }).ticket === null ? [] : [[runId, (output as { ticket: string }).ticket]],
    )
    expect(Object.fromEntries(items.map(({ runId, id }) => [runId, id]))).toEqual(Object.fromEntries(needed))
    expect(await Promise.all(ids.map(async (id) => (await system.results(id)).length))).toEqual(ids.map(() => 1))
  })
})

describe('events that come again, late or forged (R2, R3, R6)', () => {
  const eventsOf = async (runId: string, type: string) =>
    (await everything(TOPICS.events)).filter(({ key, headers }) => key === runId && headers['ce_type'] === `baton.${type}.v1`)

  it('R2: a second answer of an attempt, even another one, changes nothing', async () => {
    const first = await run('letter', 'answered twice')
    const { runId } = first.result
    const [answer] = await eventsOf(runId, 'step.completed')
    if (answer === undefined) throw new Error('no answer')
    const other = { ...JSON.parse(answer.value.toString()), output: { sent: 'something else' } }
    await system.platform.bus.publish([again(answer), { ...again(answer), value: Buffer.from(JSON.stringify(other)) }])
    await until('both in the journal', () =>
      system.journal(runId).filter(({ name }) => name === 'journal.answer.ignored').length === 2 ? true : undefined,
    )
    await system.send(JSON.stringify({ id: 'answered twice', flow: 'test/letter', input: { text: 'answered twice' } }))
    const [, second] = await system.results('answered twice', 2)
    expect(second).toEqual(first)
  })

  it('R6: run.requested again, as a repeat or as it was, answers with the same result under the same id and does nothing', async () => {
    const first = await run('letter', 'requested twice')
    const [requested] = await eventsOf(first.result.runId, 'run.requested')
    if (requested === undefined) throw new Error('no request')
    const repeat = { ...JSON.parse(requested.value.toString()), repeat: true }
    await system.platform.bus.publish([{ ...again(requested), value: Buffer.from(JSON.stringify(repeat)) }, again(requested)])
    const published = await system.results('requested twice', 3)
    expect(published).toEqual([first, first, first])
    expect([await effects('requested twice'), callsOf('requested twice')]).toEqual([1, 1])
  })

  it('R8: what the engine cannot take is kept in its dead letters, and the partition goes on', async () => {
    const before = (await system.deadLetters('routing')).length
    const { partition } = (await everything(TOPICS.events))[0] ?? { partition: 0 }
    const nonsense = { topic: TOPICS.events, partition, key: 'nobody' }
    await system.platform.bus.publish([
      { ...nonsense, headers: {}, value: Buffer.from('{') },
      { ...nonsense, headers: { ce_type: 'baton.step.completed.v1' }, value: Buffer.from('{"runId":7}') },
      {
        ...nonsense,
        headers: { ce_type: 'baton.step.completed.v1' },
        value: Buffer.from('{"runId":"run_nobody","attemptId":"run_nobody/a/1","output":1}'),
      },
    ])
    const letters = await until('three dead letters', async () => {
      const found = (await system.deadLetters('routing')).slice(before)
      return found.length === 3 ? found : undefined
    })
    expect(letters.map(({ failure }) => failure.fault?.code)).toEqual(['message.undecodable', 'message.undecodable', 'request.not_found'])
    const runs = await Promise.all(Array.from({ length: 12 }, (_, n) => run('letter', `after nonsense ${n}`)))
    expect(runs.every(({ result }) => result.status === 'completed')).toBe(true)
  })
})
