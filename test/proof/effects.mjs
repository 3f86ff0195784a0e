// Effects once: calls of tools whose effects are counted by another process, while the process that makes them is killed again and
// again and answers are lost after the effect (C4, B8).
//   `asked`   can be asked what became of an effect (reconcile)
//   `keyed`   has its effect once for one Idempotency-Key
//   `blind`   neither: where nobody can tell, a person is asked, and nothing is done a second time
// Not measured: loss of the database, and servers that lie about what they did.
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { getJson, missingServers, startBaton, startServers, until } from './system.mjs'

export const SEED = 20_261_121
const KINDS = ['asked', 'keyed', 'blind']

const FLOW = `flow: proof/effects@1.0.0
limits: { time: 300s }
input: { about: string, blind: boolean }
steps:
  - payment:
      tool: sink/asked
      with: { about: =input.about }
      timeout: 5s
      retry: { attempts: 4, backoff: fixed, delay: 100ms }
  - mail:
      when: "!input.blind"
      tool: sink/keyed
      with: { about: =input.about }
      timeout: 5s
      retry: { attempts: 4, backoff: fixed, delay: 100ms }
  - letter:
      when: input.blind
      tool: sink/blind
      with: { about: =input.about }
      timeout: 5s
`

const toolYaml = (kind, url) => `  sink/${kind}:
    method: POST
    url: ${url}/${kind}
    input: { type: object, properties: { about: { type: string } }, required: [about], additionalProperties: false }
    timeout: 5s
    trusted: true
${kind === 'asked' ? `    reconcile: ${url}/asked/{key}\n` : ''}${kind === 'keyed' ? '    idempotent: true\n' : ''}`

const writeFiles = (dir, url) => {
  mkdirSync(join(dir, 'flows', 'effects'), { recursive: true })
  mkdirSync(join(dir, 'config'))
  writeFileSync(join(dir, 'flows', 'effects', 'flow.yaml'), FLOW)
  writeFileSync(join(dir, 'config', 'models.yaml'), 'models: {}\n')
  const tools = KINDS.map((kind) => toolYaml(kind, url)).join('')
  writeFileSync(join(dir, 'config', 'tools.yaml'), `http:\n${tools}network:\n  allow: [127.0.0.1]\n`)
}

const startSink = () =>
  new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'effect-sink.mjs'), [String(SEED)])
    child.once('message', (port) => resolve({ url: `http://127.0.0.1:${Number(port)}`, stop: () => child.kill() }))
    child.once('error', reject)
  })

const submit = (url, request) =>
  until(
    `request ${request.id} to be accepted`,
    async () => {
      const body = JSON.stringify(request)
      const response = await fetch(`${url()}/v1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(15_000), // asked again then; the id makes repeats harmless
      })
      return response.status === 202
    },
    { timeoutMs: 120_000, everyMs: 100 },
  )

const ended = async (url, runs) =>
  until(
    `${runs} runs to end`,
    async () => {
      const { items } = await getJson(`${url()}/v1/stats?flow=proof/effects`)
      return items[0] !== undefined && items[0].completed + items[0].failed >= runs && items[0]
    },
    { timeoutMs: 300_000, everyMs: 300 },
  )

const requestOf = (n) => ({ id: `e${n}`, flow: 'proof/effects', source: 'proof', input: { about: `order ${n}`, blind: n % 5 === 4 } })

/** Rounds of runs; in the middle of each round `kill` is called, at another moment each time. */
const play = async ({ url, runs, kills, kill }) => {
  const share = Math.ceil(runs / (kills + 1))
  for (let from = 0, round = 0; from < runs; from += share, round += 1) {
    const begun = Array.from({ length: Math.min(share, runs - from) }, (_none, n) => submit(url, requestOf(from + n)))
    if (round < kills) {
      await Promise.race([Promise.all(begun), pause(2_000)])
      await pause(50 + (round % 6) * 150)
      await kill()
    }
    await Promise.all(begun)
  }
  return ended(url, runs)
}

const embedded = async (dir) => {
  const env = { BATON_FLOWS_DIR: join(dir, 'flows'), BATON_CONFIG_DIR: join(dir, 'config') }
  const start = () => startBaton(['--data', join(dir, 'data'), '--port', '0'], { env })
  let system = await start()
  return {
    url: () => system.urls.gateway,
    kill: async () => {
      await system.kill('SIGKILL')
      system = await start()
    },
    stop: () => system.kill('SIGTERM'),
  }
}

/** Kafka and PostgreSQL, and the tools service alone is killed. */
const distributed = async (dir) => {
  const servers = await startServers()
  const processes = {}
  const ports = {}
  const env = {
    KAFKA_BROKERS: servers.kafka.brokers.join(','),
    DATABASE_URL: servers.postgres.url,
    BATON_FLOWS_DIR: join(dir, 'flows'),
    BATON_CONFIG_DIR: join(dir, 'config'),
  }
  const start = async (name) => {
    const urls = Object.fromEntries(
      Object.entries(ports).map(([other, port]) => [`BATON_${other.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]),
    )
    processes[name] = await startBaton(['--only', name, '--port', String(ports[name] ?? 0)], { env: { ...env, ...urls } })
    ports[name] = new URL(processes[name].urls[name]).port
  }
  for (const name of ['tracing', 'tools', 'routing', 'gateway']) await start(name)
  return {
    url: () => `http://127.0.0.1:${ports.gateway}`,
    kill: async () => {
      await processes.tools.kill('SIGKILL')
      await start('tools')
    },
    stop: async () => {
      for (const one of Object.values(processes)) one.child.kill('SIGKILL')
      await servers.stop()
    },
  }
}

const countsOf = ({ effects }) => {
  const counts = new Map()
  for (const { kind, key } of effects) counts.set(`${kind} ${key}`, (counts.get(`${kind} ${key}`) ?? 0) + 1)
  const byAbout = new Map()
  for (const { kind, about } of effects) byAbout.set(`${kind} ${about}`, (byAbout.get(`${kind} ${about}`) ?? 0) + 1)
  return { twice: [...counts.values(), ...byAbout.values()].filter((count) => count > 1).length, byAbout }
}

/** One crash loop: what was done, against what had to be. */
export const crashLoop = async ({ runs, kills, where }) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-effects-'))
  const sink = await startSink()
  writeFiles(dir, sink.url)
  const system = await (where === 'kafka' ? distributed(dir) : embedded(dir))
  try {
    const stats = await play({ url: system.url, runs, kills, kill: system.kill })
    const { items: failures = [] } = await getJson(`${system.url()}/v1/runs?flow=proof/effects&status=failed&limit=200`)
    const codes = [...new Set(failures.map(({ fault }) => fault?.code ?? 'none'))]
    const seen = await getJson(`${sink.url}/count`)
    const { twice, byAbout } = countsOf(seen)
    const wanted = Array.from({ length: runs }, (_none, n) => ({ about: `order ${n}`, second: n % 5 === 4 ? 'blind' : 'keyed' }))
    const missing = wanted.filter(({ about }) => !byAbout.has(`asked ${about}`)).length
    const missingMails = wanted.filter(({ about, second }) => second === 'keyed' && !byAbout.has(`keyed ${about}`)).length
    const blind = wanted.filter(({ second }) => second === 'blind')
    const letters = blind.filter(({ about }) => byAbout.has(`blind ${about}`)).length
    return {
      ...seen,
      effects: seen.effects.length,
      twice,
      lost: missing + missingMails,
      answersLost: seen.lost,
      stats,
      codes,
      blind: blind.length,
      letters,
      calls: 2 * runs,
      kills,
    }
  } finally {
    await system.stop()
    sink.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Rows of the proof and of the bench. */
export const rowsOf = (seen, where) => {
  const note = `${seen.calls} calls, ${seen.kills} kills -9 of ${where === 'kafka' ? 'the tools process' : 'the whole process'}, ${seen.answersLost} answers lost after the effect, ${seen.refused} connections lost before it, seed ${SEED}`
  const failed = seen.stats.failed
  return [
    { what: `${where}: effects executed twice`, must: '0', seen: String(seen.twice), ok: seen.twice === 0, note },
    {
      what: `${where}: effects lost (of tools that can be asked or know keys)`,
      must: '0',
      seen: String(seen.lost),
      ok: seen.lost === 0,
      note: '',
    },
    {
      what: `${where}: runs that completed or asked a person`,
      must: String(seen.calls / 2),
      seen: `${seen.stats.completed} + ${failed}`,
      ok:
        seen.stats.completed + failed === seen.calls / 2 && failed <= seen.blind && seen.codes.every((code) => code === 'effect.uncertain'),
      note: `${seen.blind} runs call the tool that can neither tell nor know keys: ${failed} of them ended with ${seen.codes.join(', ') || 'no fault'}, ${seen.letters} letters were sent`,
    },
  ]
}

export const skipKafka = missingServers
