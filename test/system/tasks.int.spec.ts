// Steps that services of other teams do, on real Kafka and PostgreSQL: the example workers, and answers as strangers write them (A16).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openKafkaBus, type Bus } from '@baton/bus'
import { TOPICS, type Json } from '@baton/contracts'
import { describeWithKafka, describeWithPostgres } from '@baton/testing/suite'
import { makeHome, openAt, until, type Home, type Published, type System } from './system.ts'
import { prepareWorker, startWorker, type Language } from './tasks-workers.ts'
import type { Child } from '../../libs/testing/src/servers/child-process.ts'

const LANGUAGES: readonly Language[] = ['node', 'python', 'go']
const STRANGER = 'baton.tasks.stranger'
/** Lease of a task with `timeout: 1s`, without heartbeats. */
const LEASE_MS = 31_000
const WAIT_MS = 110_000

const flow = (name: string, task: string, timeout: string): string => `
flow: test/${name}@1.0.0
limits: { time: 5m }
input: { document: string, seconds: number }
steps:
  - convert: { task: ${task}, with: { document: =input.document, seconds: =input.seconds }, returns: { text: string }, timeout: ${timeout} }
output: { text: =convert.text, by: =convert.by }
`
const FLOWS = Object.fromEntries(
  [...LANGUAGES.map((language) => [language, `convert-${language}`] as const), ['stranger', 'stranger'] as const].flatMap(
    ([name, task]) => [
      [`${name}/flow.yaml`, flow(name, task, '30s')],
      [`${name}-short/flow.yaml`, flow(`${name}-short`, task, '1s')],
    ],
  ),
)

type Task = { readonly runId: string; readonly step: string; readonly attemptId: string; readonly answerPartition: number }

jest.setTimeout(180_000)

/** What every worker has to show. */
const showWorker = (language: Language, stage: () => { readonly play: Play | undefined; readonly system: System }): void => {
  const played = (): Play => {
    const found = stage().play
    if (found === undefined) throw new Error('not started')
    return found
  }

  it('A16: completes a task, and its answer is the output of the step', async () => {
    const { result } = await played().completed
    expect(result).toMatchObject({ status: 'completed', output: { text: 'converted a.pdf', by: `task:convert-${language}` } })
    expect(result.metrics.costUsd).toBeCloseTo(0.0001)
  })

  it('A16, T3: fails with a code of its own, and the run says so', async () => {
    const { result } = await played().failed
    expect(result).toMatchObject({ status: 'failed', fault: { code: 'tool.failed', detail: { code: 'document.refused' } } })
  })

  it('A16, R9: killed in the middle of a task, another one takes over and the step is done once', async () => {
    const { result } = await played().takenOver
    expect(result).toMatchObject({ status: 'completed', output: { text: 'converted b.pdf' } })
    expect(dispatches(stage().system, result.runId)).toBe(1)
  })

  it('A16, R4: keeps its lease through a task longer than it, by heartbeats', async () => {
    const { result } = await played().long
    expect(result).toMatchObject({ status: 'completed', output: { text: 'converted long.pdf' } })
    expect(result.metrics.latencyMs).toBeGreaterThan(LEASE_MS)
    expect(dispatches(stage().system, result.runId)).toBe(1)
  })
}

const dispatches = (system: System, runId: string): number =>
  system.journal(runId).filter(({ name }) => name === 'journal.step.dispatched').length

type Play = Readonly<Record<'completed' | 'failed' | 'takenOver' | 'long', Promise<Published>>> & { readonly close: () => Promise<void> }
type Stage = {
  readonly system: System
  readonly language: Language
  readonly command: readonly string[]
  readonly brokers: readonly string[]
}

/** All that one worker has to show, one after the other; the languages beside each other. */
const play = ({ system, language, command, brokers }: Stage): Play => {
  const started: Child[] = []
  const start = async (): Promise<Child> => {
    const env = { KAFKA_BROKERS: brokers.join(','), TASK: `convert-${language}`, HEARTBEAT_MS: '500' }
    const child = await startWorker(command, env)
    started.push(child)
    return child
  }
  const request = async (id: string, input: Json, name: string = language): Promise<string> => {
    const { body } = await system.http<{ runId: string }>('POST', '/v1/runs', { id: `${language}-${id}`, flow: `test/${name}`, input })
    return body.runId
  }
  const result = (id: string): Promise<Published> =>
    until(`result of ${language}-${id}`, async () => (await system.results(`${language}-${id}`).catch(() => undefined))?.[0], WAIT_MS)
  const first = start()
  const completed = first.then(async () => {
    await request('good', { document: 'a.pdf', seconds: 0 })
    return result('good')
  })
  const failed = completed.then(async () => {
    await request('bad', { document: 'virus.exe', seconds: 0 })
    return result('bad')
  })
  const takenOver = failed.then(async () => {
    const runId = await request('dies', { document: 'b.pdf', seconds: 3 })
    await until(
      'its first heartbeat',
      () => system.journal(runId).find((event) => event.name === 'journal.step.waiting' && event.data.reason === 'extended'),
      WAIT_MS,
    )
    await (await first).kill()
    await start()
    return result('dies')
  })
  const long = takenOver.then(async () => {
    await request('long', { document: 'long.pdf', seconds: LEASE_MS / 1_000 + 2 }, `${language}-short`)
    return result('long')
  })
  for (const promise of [completed, failed, takenOver, long]) promise.catch(() => undefined) // Its test says so.
  return {
    completed,
    failed,
    takenOver,
    long,
    close: async () => {
      await Promise.all(started.map((child) => child.kill()))
    },
  }
}

describeWithPostgres('Tasks of other teams on PostgreSQL', (postgres) => {
  describeWithKafka('and Kafka', (kafka) => {
    let home: Home
    let system: System
    let bus: Bus
    const workers = new Map(LANGUAGES.map((language) => [language, prepareWorker(language)]))
    const plays = new Map<Language, Play>()

    beforeAll(async () => {
      bus = await openKafkaBus({
        brokers: kafka.brokers,
        clientId: 'stranger',
        topicPrefix: '',
        topics: [
          { name: STRANGER, partitions: 1, retentionMs: 86_400_000, compacted: false, logAppendTime: true, about: 'tasks of the suite' },
        ],
        ensureTopics: true,
      })
      home = await makeHome({ flows: FLOWS })
      system = await openAt(home, { KAFKA_BROKERS: kafka.brokers.join(','), DATABASE_URL: await postgres.freshDatabase() })
      for (const [language, worker] of workers)
        if (worker.ok) plays.set(language, play({ system, language, command: worker.command, brokers: kafka.brokers }))
    })
    afterAll(async () => {
      await Promise.all([...plays.values()].map(({ close }) => close()))
      await system.close()
      await bus.close()
      await home.remove()
    })

    for (const language of LANGUAGES) {
      const worker = workers.get(language)
      if (worker?.ok === false) process.stderr.write(`skipped: the example worker in ${language}: ${worker.reason}\n`)
      const suite = worker?.ok === true ? describe : describe.skip
      suite(`the example worker in ${language}`, () => showWorker(language, () => ({ play: plays.get(language), system })))
    }

    describe('a stranger who writes', () => {
      /** The n-th task of a run. */
      const taskOf = (runId: string, n = 1): Promise<Task> =>
        until(
          `task ${n} of ${runId}`,
          async () => {
            const records = await bus.read({ topic: STRANGER, partition: 0, offset: 0, limit: 1_000 })
            const tasks = records.map(({ value }) => JSON.parse(value.toString()) as Task).filter((task) => task.runId === runId)
            return tasks[n - 1]
          },
          WAIT_MS,
        )
      const begin = async (id: string, name = 'stranger'): Promise<string> => {
        const { body } = await system.http<{ runId: string }>('POST', '/v1/runs', {
          id,
          flow: `test/${name}`,
          input: { document: id, seconds: 0 },
        })
        return body.runId
      }
      const write = ({ answerPartition, runId }: Task, value: string, headers: Record<string, string> = {}) =>
        bus.publish([{ topic: TOPICS.events, partition: answerPartition, key: runId, headers, value: Buffer.from(value) }])
      const resultOf = async (id: string): Promise<Published> => {
        const [first] = await system.results(id)
        if (first === undefined) throw new Error('no result')
        return first
      }
      const reads = async (id: string, value: (task: Task) => Json, headers: Record<string, string> = {}): Promise<Published['result']> => {
        const task = await taskOf(await begin(id))
        await write(task, JSON.stringify(value(task)), headers)
        return (await resultOf(id)).result
      }

      it.each<[string, (task: Task) => Json, Record<string, string>]>([
        ['binary CloudEvents', ({ attemptId }) => ({ attemptId, output: { text: 'x' } }), { ce_type: 'baton.step.completed.v1' }],
        [
          'structured CloudEvents',
          ({ runId, attemptId }) => ({
            specversion: '1.0',
            id: 'mine',
            source: '/convert',
            type: 'baton.step.completed.v1',
            data: { runId, attemptId, output: { text: 'x' } },
          }),
          { 'content-type': 'application/cloudevents+json' },
        ],
        ['plain JSON', ({ attemptId }) => ({ type: 'baton.step.completed.v1', attemptId, output: { text: 'x' } }), {}],
      ])('T1, T2: %s is understood', async (how, value, headers) => {
        expect(await reads(`how: ${how}`, value, headers)).toMatchObject({ status: 'completed', output: { text: 'x' } })
      })

      it('T4: more than a run may hold fails its step at once', async () => {
        const text = 'x'.repeat(300_000)
        const result = await reads('large', ({ attemptId }) => ({ attemptId, output: { text } }), { ce_type: 'baton.step.completed.v1' })
        expect(result).toMatchObject({ status: 'failed', fault: { code: 'step.output_too_large' } })
      })

      it('T6, R8: nonsense leaves a dead letter with the reason, and the answer behind it counts', async () => {
        const task = await taskOf(await begin('nonsense'))
        await write(task, '{"attemptId":', { ce_type: 'baton.step.completed.v1' })
        await write(task, JSON.stringify({ attemptId: task.attemptId, output: { text: 'y' } }), { ce_type: 'baton.step.completed.v1' })
        expect((await resultOf('nonsense')).result.output).toMatchObject({ text: 'y' })
        const letter = await until('the dead letter', async () =>
          (await system.deadLetters('routing')).find(({ value }) => value.toString() === '{"attemptId":'),
        )
        expect(letter.failure.fault).toMatchObject({ code: 'message.undecodable', message: expect.stringContaining('not JSON') })
      })

      it('R2, R3: answers late after its lease is paid, and changes nothing; the attempt after it counts', async () => {
        const runId = await begin('late', 'stranger-short')
        const [first, second] = [await taskOf(runId, 1), await taskOf(runId, 2)]
        expect(second.attemptId).toBe(`${runId}/convert/2`)
        const answer = (task: Task, text: string, costMicroUsd: number) =>
          write(task, JSON.stringify({ attemptId: task.attemptId, output: { text }, meter: { costMicroUsd } }), {
            ce_type: 'baton.step.completed.v1',
          })
        await answer(first, 'late', 700)
        await answer(second, 'in time', 20)
        await answer(second, 'twice', 20)
        const { result } = await resultOf('late')
        expect(result.output).toMatchObject({ text: 'in time' })
        expect(result.metrics.costUsd).toBeCloseTo(0.00072)
        const ignored = await until('both ignored answers', () => {
          const found = system.journal(runId).flatMap((event) => (event.name === 'journal.answer.ignored' ? [event.data] : []))
          return found.length === 2 ? found : undefined
        })
        expect(ignored).toMatchObject([
          { reason: 'late', costMicroUsd: 700 },
          { reason: 'duplicate', costMicroUsd: 0 },
        ])
      })
    })
  })
})
