import { describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { MessageOf, StepCommand } from '@baton/contracts'
import type { Program } from '@baton/flow/program'
import { programOf, requested, RUN, START_MS } from '../testing.ts'
import type { Done } from './answer.ts'
import { createFakeClock } from './fake-clock.ts'
import { MemoryRuns, runInMemory, type MemoryPorts } from './memory-run.ts'

const DAY_MS = 86_400_000
const requestOf = (program: Program, input: Json = {}): MessageOf<'run.requested'> => {
  const { data } = requested(input)
  return { ...data, planHash: program.plan.hash } as MessageOf<'run.requested'> // the fixture makes no other message
}

/** A world of its own for each specification: what was asked when, in days. */
const worldOf = (work: (command: StepCommand, sleep: (days: number) => Promise<void>) => Promise<Done>) => {
  const asked: string[] = []
  const ports = (stuck: () => void = () => undefined): MemoryPorts => {
    const clock = createFakeClock({ startMs: START_MS, onStuck: stuck })
    return {
      ...clock,
      work: async (command, _node, signal) => {
        asked.push(`${command.path} on day ${(clock.nowMs() - START_MS) / DAY_MS}`)
        return work(command, (days) => clock.sleep(days * DAY_MS, signal))
      },
    }
  }
  return { asked, ports }
}

const PERSON = `
limits: { time: 1d, total: 20d }
steps:
  - draft: { tool: a/draft }
  - sign: { human: { queue: q, sla: 5d } }
  - file: { tool: a/file }
`

describe('runs in memory', () => {
  it('C1: days take no time, and what is done in them is done at its time', async () => {
    const program = programOf(PERSON)
    const { asked, ports } = worldOf(async ({ kind, path }, sleep) => {
      if (kind === 'human') await sleep(3)
      return { output: path, by: kind === 'human' ? 'ada' : 'tool:a' }
    })
    const result = await runInMemory(requestOf(program), { program, ports: ports() })
    expect(result).toMatchObject({ status: 'completed', output: 'file', metrics: { latencyMs: 3 * DAY_MS, workingMs: 0 } })
    expect(asked).toEqual(['draft on day 0', 'sign on day 0', 'file on day 3'])
  })

  it('C1: the timers of the engine are reached where nobody answers', async () => {
    const program = programOf(PERSON)
    const { ports } = worldOf(async ({ kind }, sleep) => {
      if (kind === 'human') await sleep(Infinity)
      return { output: null, by: 'tool:a' }
    })
    const result = await runInMemory(requestOf(program), { program, ports: ports() })
    expect(result).toMatchObject({ status: 'failed', fault: { code: 'review.expired' } })
  })

  it('C2: sleeps that end at one time end in the order in which they began', async () => {
    const clock = createFakeClock({ startMs: 0, onStuck: () => undefined })
    const { signal } = new AbortController()
    const ended: string[] = []
    const nap = (name: string, ms: number): Promise<void> =>
      clock.during(async () => {
        await clock.sleep(ms, signal)
        ended.push(`${name} at ${clock.nowMs()}`)
      })
    await Promise.all([nap('b', 5), nap('a', 5), nap('c', 3)])
    expect(ended).toEqual(['c at 3', 'b at 5', 'a at 5'])
  })

  it('C3: says so when nothing will ever happen', async () => {
    const program = programOf('steps: [{ a: { tool: a/b } }]')
    const { ports } = worldOf(async () => ({ output: 1, by: 'tool:a' }))
    const stuck = await new Promise<string>((resolve) => {
      const runs = new MemoryRuns({ program, ports: ports(() => resolve('stuck')) })
      void runs.start(requestOf(program)).then(() => undefined)
    })
    expect(stuck).toBe('stuck')
  })

  it('M1: records are decided in the order in which they came about', async () => {
    const program = programOf('steps: [{ a: { tool: a/b } }, { b: { tool: a/b } }]')
    const journal: string[] = []
    const { ports } = worldOf(async ({ path }) => ({ output: path, by: 'tool:a' }))
    const onJournal: MemoryPorts['onJournal'] = ({ name, data }) => void journal.push(`${data.seq} ${name.slice('journal.'.length)}`)
    await runInMemory(requestOf(program), { program, ports: { ...ports(), onJournal } })
    const sequence = journal.map((line) => Number(line.split(' ')[0]))
    expect(sequence).toEqual([...sequence].sort((a, b) => a - b))
    expect(journal.at(-1)).toMatch(/run\.ended$/)
  })

  it('M2: a run that ends aborts what is open', async () => {
    const program = programOf('steps: [{ a: { tool: a/b } }]')
    const caller = new AbortController()
    let aborted = false
    const clock = createFakeClock({ startMs: START_MS, onStuck: () => undefined })
    const work: MemoryPorts['work'] = async (_command, _node, signal) => {
      signal.addEventListener('abort', () => (aborted = true))
      caller.abort()
      await clock.sleep(Infinity, signal)
      return { output: 'too late', by: 'tool:a' }
    }
    const result = await runInMemory(requestOf(program), { program, ports: { ...clock, work }, signal: caller.signal })
    expect(result).toMatchObject({ status: 'cancelled' })
    expect(aborted).toBe(true)
  })

  it('M3: what is aborted says nothing any more', async () => {
    const program = programOf('steps: [{ a: { tool: a/b } }]')
    const caller = new AbortController()
    const journal: string[] = []
    const { ports } = worldOf(async () => {
      caller.abort()
      throw new Fault('tool.failed', 'it was aborted')
    })
    const onJournal: MemoryPorts['onJournal'] = ({ name }) => void journal.push(name)
    await runInMemory(requestOf(program), { program, ports: { ...ports(), onJournal }, signal: caller.signal })
    expect(journal).not.toContain('journal.answer.ignored')
  })

  it('a flow that is not here fails its run', async () => {
    const program = programOf('steps: [{ a: { tool: a/b } }]')
    const { ports } = worldOf(async () => ({ output: 1, by: 'tool:a' }))
    const result = await runInMemory({ ...requestOf(program), planHash: 'f'.repeat(64) }, { program, ports: ports() })
    expect(result).toMatchObject({ runId: RUN, status: 'failed', fault: { code: 'flow.unknown' } })
  })
})
