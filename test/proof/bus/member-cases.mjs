// What happens to a member of a group, a process of its own beside another one: it sleeps, its network goes down, its clock jumps.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { plugIn } from '../takeover-network.mjs'
import { clockMissing, movableClock } from './clock.mjs'
import { rowOf } from './row.mjs'
import { message, note, openSource, settle, standstillFrom, stream } from './stage.mjs'
import { NAMESPACE_SLOT } from './world.mjs'

const MEMBER = join(import.meta.dirname, 'member.mjs')
const PER_S = 200
const CALM_MS = 3_000
const SESSION_MS = 3_000
const AWAY_MS = 3 * SESSION_MS
const HOUR_S = 3_600
/** Of the session, and of dealing out anew. */
const TAKEOVER_MS = SESSION_MS + 5_000

/** A member; with `slot` in a network namespace of its own. */
const startMember = async ({ source, brokers, env = {}, slot, handlerMs = 0 }) => {
  const settings = JSON.stringify({ brokers, prefix: source.prefix, sessionTimeoutMs: SESSION_MS, handlerMs })
  const [command, args] =
    slot === undefined
      ? [process.execPath, [MEMBER, settings]]
      : ['unshare', ['-n', 'sh', '-c', 'echo \'{"plug":true}\'; read -r line && exec "$0" "$@"', process.execPath, MEMBER, settings]]
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4_000)))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let network
  await new Promise((resolve, reject) => {
    void exited.then(() => reject(new Error(`the member ended: ${errors}`)))
    createInterface({ input: child.stdout }).on('line', (text) => {
      const told = JSON.parse(text)
      if (told.ready) return resolve()
      if (!told.plug) return note(source.ledger, told)
      network = plugIn(child.pid, slot)
      return child.stdin.write('plugged\n')
    })
  })
  return {
    network,
    signal: (name) => child.kill(name),
    stop: async () => {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await exited
      clearTimeout(timer)
    },
  }
}

/** Two members under load; `harm` befalls the first. */
const withMembers = async (world, { first = {}, second = {}, messageOf = (n) => message(n), withinMs = TAKEOVER_MS, harm }) => {
  const { kafka } = world
  const source = await openSource(kafka.brokers)
  const members = []
  try {
    for (const more of [first, second]) members.push(await startMember({ source, brokers: kafka.brokers, ...more }))
    const load = stream(source.publish, PER_S, messageOf)
    await sleep(CALM_MS)
    const fromMs = performance.now()
    const text = await harm(members[0])
    await sleep(CALM_MS)
    await load.stop()
    await settle(source.ledger)
    const recoveryMs = standstillFrom(source.ledger, fromMs)
    return rowOf(source.ledger, {
      recoveryMs,
      note: text,
      promises: [
        [`no partition stands still for ${withinMs / 1_000} s`, recoveryMs < withinMs],
        ['refuses nothing', source.ledger.refused === 0],
        // What was under way when it happened, and nothing of what it missed.
        [
          'handles less than a second of the traffic twice',
          [...source.ledger.handled.values()].filter((times) => times > 1).length < PER_S,
        ],
      ],
    })
  } finally {
    await Promise.all(members.map((member) => member.stop()))
    await source.publisher.close()
  }
}

export const CASES = {
  paused: {
    title: `a member stopped for ${AWAY_MS / 1_000} s, its session is ${SESSION_MS / 1_000} s`,
    run: (world) =>
      withMembers(world, {
        harm: async (member) => {
          member.signal('SIGSTOP')
          await sleep(AWAY_MS)
          member.signal('SIGCONT')
          return 'SIGSTOP, SIGCONT; from the stop on'
        },
      }),
  },
  namespace: {
    title: `the network of a member down for ${AWAY_MS / 1_000} s`,
    missing: ({ namespaces }) => (namespaces === 'own' ? undefined : namespaces),
    run: (world) =>
      withMembers(world, {
        first: { slot: NAMESPACE_SLOT, brokers: [world.inside] },
        harm: async (member) => {
          member.network.cut()
          await sleep(AWAY_MS)
          member.network.mend()
          return 'its interface, in a network namespace; from the cut on'
        },
      }),
  },
  clock: {
    title: 'the clock of a member jumps an hour ahead, and back',
    missing: clockMissing,
    run: (world) => {
      const clock = movableClock(world.dir, 'member')
      return withMembers(world, {
        first: { env: clock.env },
        second: { env: clock.env },
        // One in ten fails at first, and waits a second in the ladder.
        messageOf: (n) => {
          const plain = message(n)
          return n % 10 === 3 ? { ...plain, key: `flaky${n}`, headers: { ...plain.headers, 'x-flaky': 'yes' } } : plain
        },
        withinMs: 5_000,
        harm: async () => {
          clock.set(HOUR_S)
          await sleep(CALM_MS)
          clock.set(0)
          await sleep(CALM_MS)
          return 'wall clock of both processes, by a preloaded library; a tenth waits in the ladder meanwhile'
        },
      })
    },
  },
}
