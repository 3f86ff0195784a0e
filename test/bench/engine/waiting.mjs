// Many runs that wait, on the embedded product: what each keeps in memory, what they cost while nothing happens, and whether many
// that are due at once go on at once. All services share the process, so its heap is that of all of them.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FLOWS_DIR } from '../distributed.mjs'
import { runEmbedded } from '../embedded-client.mjs'
import { idleShareOf } from '../figures.mjs'
import { until } from '../../proof/system.mjs'
import { f, say, verdict } from './report.mjs'

const HEAP_MUST_BYTES = 1_024
const IDLE_MUST_PERCENT = 1
const LATE_MUST_MS = 2_000
const BATCH = 250
/** Runs on their way at the same time; more would only queue up. */
const UNDER_WAY_MAX = 2_000
const WAIT_SECONDS_MAX = 120
const HALF_AN_HOUR_MS = 1_800_000
/** A wait for a time is opened, a person is asked by a command. */
const BEGINS = new Set(['baton.journal.step.opened.v1', 'baton.journal.step.dispatched.v1'])

const waitFlow = (name, step) =>
  `flow: bench/${name}@1.0.0\nlimits: { time: 5m, total: 30d }\ninput: { v: integer }\nsteps:\n  - rest: ${step}\noutput: =input.v\n`

/** Flows that wait: a day, for a person, and so many seconds each. */
const makeFlows = () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-waiting-'))
  cpSync(FLOWS_DIR, dir, { recursive: true })
  const seconds = Array.from({ length: WAIT_SECONDS_MAX }, (_, index) => [`wait-${index + 1}s`, `{ wait: ${index + 1}s }`])
  const flows = [
    ['wait-day', '{ wait: 1d }'],
    ['wait-person', '{ human: { queue: bench, sla: 7d }, returns: { ok: boolean } }'],
    ...seconds,
  ]
  for (const [name, step] of flows) {
    mkdirSync(join(dir, name))
    writeFileSync(join(dir, name, 'flow.yaml'), waitFlow(name, step))
  }
  return dir
}

/** Hears on two topics which runs have begun to wait, until when, and when they ended. */
const watch = async (bus) => {
  const waiting = new Map()
  const ended = new Map()
  const follow = async (topic, onRecord) => {
    const reader = await bus.log({
      topic,
      onBatch: (_partition, records) => records.forEach(onRecord),
      onFault: (_partition, fault) => {
        throw new Error(fault.message)
      },
    })
    const { partitions } = await bus.describe(topic)
    await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
    return reader
  }
  const readers = [
    await follow('baton.journal', ({ headers, value }) => {
      if (!BEGINS.has(headers.ce_type)) return
      waiting.set(headers.ce_subject, JSON.parse(value.toString()).detail?.untilMs)
    }),
    await follow('baton.results', ({ headers }) => ended.set(headers.ce_subject, Date.now())),
  ]
  return {
    waiting,
    ended,
    forget: () => {
      waiting.clear()
      ended.clear()
    },
    close: () => Promise.all(readers.map((reader) => reader.close())),
  }
}

/** Starts runs, so many under way at once, until all of them wait. `flowOf` names the flow of a run when it is its turn. */
const startAll = async ({ bus, seen, count, flowOf, what }) => {
  for (let sent = 0; sent < count;) {
    if (sent - seen.waiting.size >= UNDER_WAY_MAX) {
      await pause(5)
      continue
    }
    const size = Math.min(BATCH, count - sent)
    const records = Array.from({ length: size }, (_, index) => {
      const v = sent + index
      const id = `${what}-${v}`
      return {
        topic: 'baton.requests',
        key: id,
        headers: {},
        value: Buffer.from(JSON.stringify({ id, flow: flowOf(v), source: 'bench', input: { v } })),
      }
    })
    await bus.publish(records)
    sent += size
  }
  await until(`${count} runs to wait`, async () => seen.waiting.size >= count, { timeoutMs: HALF_AN_HOUR_MS, everyMs: 50 })
}

const collector = () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  return async () => {
    // What finalizers let go of is collected by the next round.
    for (let round = 0; round < 3; round += 1) {
      collect()
      await pause(200)
    }
    return process.memoryUsage().heapUsed
  }
}

const rest = async ({ bus, seen, count, heapOf, idle }) => {
  const before = await heapOf()
  const begunMs = performance.now()
  await startAll({ bus, seen, count, what: 'rest', flowOf: (v) => (v % 2 === 0 ? 'bench/wait-day' : 'bench/wait-person') })
  const tookMs = performance.now() - begunMs
  seen.forget()
  await pause(idle.settleMs)
  const bytes = ((await heapOf()) - before) / count
  const heapOk = bytes <= HEAP_MUST_BYTES
  say(
    `${verdict(heapOk)} ${count} runs that wait for a day or a person: ${f(bytes, 0)} bytes of heap each in all services together; must ${HEAP_MUST_BYTES} (they began in ${f(tookMs / 1_000, 1)} s)`,
  )
  const cpuMs = () => process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000
  const share = await idleShareOf(cpuMs, { settleMs: 0, windowMs: idle.windowMs })
  const idleOk = share <= IDLE_MUST_PERCENT
  say(
    `${verdict(idleOk)} while all of them wait: ${f(share)} % of a core, all services together (median of 3 windows of ${idle.windowMs / 1_000} s); must ${IDLE_MUST_PERCENT} %`,
  )
  return [heapOk, idleOk]
}

/** Runs begin one after the other, each to wait until the same moment. */
const dueAtOnce = async ({ bus, seen, count, perSecond }) => {
  seen.forget()
  const seconds = Math.min(WAIT_SECONDS_MAX - 5, Math.ceil(count / perSecond) + 10)
  const momentMs = Date.now() + seconds * 1_000
  const flowOf = () => `bench/wait-${Math.max(1, Math.ceil((momentMs - Date.now()) / 1_000))}s`
  await startAll({ bus, seen, count, what: 'due', flowOf })
  await until(`${count} runs to end`, async () => [...seen.waiting.keys()].every((runId) => seen.ended.has(runId)), {
    timeoutMs: 300_000,
    everyMs: 100,
  })
  const due = [...seen.waiting.values()].toSorted((left, right) => left - right)
  const late = [...seen.waiting].map(([runId, untilMs]) => seen.ended.get(runId) - untilMs).toSorted((left, right) => left - right)
  const at = (q, of) => of[Math.min(of.length - 1, Math.floor(q * of.length))]
  const ok = late.at(-1) <= LATE_MUST_MS
  say(
    `${verdict(ok)} ${count} waits that are over within ${f(at(0.99, due) - at(0.01, due), 0)} ms (98 % of them): result ${f(at(0.5, late), 0)} ms (p50), ${f(at(0.99, late), 0)} ms (p99), ${f(late.at(-1), 0)} ms (last) after its time; must ${LATE_MUST_MS}`,
  )
  return [ok]
}

export const runWaiting = async ({ waiting, timers, quick }) => {
  say(`\n${waiting} runs that wait, then ${timers} that are due at once; embedded, one process`)
  const flowsDir = makeFlows()
  const system = await runEmbedded({ flowsDir })
  try {
    const { bus } = system.platform
    await system.measure(quick ? 200 : 3_000, 32) // What is compiled and cached by the first runs is no cost of the ones that wait.
    const seen = await watch(bus)
    const idle = quick ? { settleMs: 3_000, windowMs: 2_000 } : { settleMs: 15_000, windowMs: 10_000 }
    const resting = await rest({ bus, seen, count: waiting, heapOf: collector(), idle })
    const due = await dueAtOnce({ bus, seen, count: timers, perSecond: quick ? 100 : 400 })
    await seen.close()
    return [...resting, ...due]
  } finally {
    await system.stop()
    rmSync(flowsDir, { recursive: true, force: true })
  }
}
