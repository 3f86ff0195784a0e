// The inside of the models service without engine and topics: catalogue, attempts and handler, over whatever stores are given; and the rig
// of providers as a process of its own.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const load = (...path) => import(join(root, ...path))

/** A folder that goes away with `remove`. */
export const tempFolder = (name) => {
  const dir = mkdtempSync(join(tmpdir(), `baton-${name}-`))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** Starts the rig. `recordings`: rows to write to a file first; `files`: files that are there. */
export const startRigProcess = async ({ recordings = [], files = [], speed = Infinity, echo = false, seed = 1 }) => {
  const temp = tempFolder('rig')
  const own = join(temp.dir, 'recordings.jsonl')
  writeFileSync(own, recordings.map((row) => JSON.stringify(row)).join('\n'))
  const main = join(root, 'libs', 'testing', 'dist', 'rig', 'main.js')
  const child = spawn(
    process.execPath,
    [main, '--speed', String(speed), '--seed', String(seed), ...(echo ? ['--echo'] : []), own, ...files],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const line = await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text)
    })
    child.once('exit', (code) => reject(new Error(`the rig ended with ${code}`)))
  })
  const { url, openAiUrl, anthropicUrl } = JSON.parse(line)
  const send = async (method, path, body) =>
    (await fetch(`${url}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).json()
  return {
    url,
    openAiUrl,
    anthropicUrl,
    stats: () => send('GET', '/rig/stats'),
    reset: () => send('POST', '/rig/reset'),
    setFaults: (rules) => send('PUT', '/rig/faults', rules),
    close: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
      temp.remove()
    },
  }
}

/** A database in memory, or the PostgreSQL that is named. */
export const openStores = async (url) => {
  const store = await load('libs', 'store', 'dist', 'index.js')
  const db = url === undefined ? await store.openPglite() : store.openPostgres({ url, poolMax: 4 })
  return { db, stores: await store.openStore(db), close: () => db.close() }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }

/** Opens the inside. `models` and `limits` are the texts of the files; `bus` takes what is published. */
export const openInside = async ({ models, limits, stores, bus, logger = quiet }) => {
  const temp = tempFolder('inside')
  mkdirSync(join(temp.dir, 'flows'))
  writeFileSync(join(temp.dir, 'models.yaml'), models)
  if (limits !== undefined) writeFileSync(join(temp.dir, 'limits.yaml'), limits)
  const { loadCatalogue } = await load('services', 'models', 'dist', 'catalogue', 'catalogue.js')
  const { openAttempts } = await load('services', 'models', 'dist', 'attempts', 'open-attempts.js')
  const { invokeHandler } = await load('services', 'models', 'dist', 'invoke', 'invoke.js')
  const { openTelemetry } = await load('libs', 'telemetry', 'dist', 'index.js')
  const own = openTelemetry({ service: 'models', level: 'error' })
  const telemetry = { ...own, logger }
  const config = { configDir: temp.dir, flowsDir: join(temp.dir, 'flows'), dataDir: temp.dir }
  const catalogue = await loadCatalogue(temp.dir, { flowsDir: config.flowsDir, env: {}, nowMs: Date.now })
  const open = await openAttempts({ bus, stores, config, telemetry, nowMs: Date.now }, catalogue)
  const handle = invokeHandler({
    catalogue,
    attempts: open.attempts,
    cache: open.cache,
    pieces: () => undefined,
    clockMs: () => performance.now(),
  })
  return {
    ...open,
    catalogue,
    handle,
    metrics: own.metrics,
    close: async () => {
      await open.close()
      temp.remove()
    },
  }
}

/** A step that asks a route for a text, and a command of it. */
export const stepOf = (route, more = {}) => ({
  id: 'ask',
  name: 'ask',
  kind: 'model',
  models: [route],
  prompt: 'ask@1',
  with: { lit: null },
  effect: 'read',
  timeoutMs: 30_000,
  ...more,
})
export const planOf = (node) => ({
  formatVersion: 1,
  flow: 'bench/ask',
  version: '1.0.0',
  hash: '0'.repeat(64),
  limits: { timeMs: 60_000, totalMs: 60_000, steps: 10 },
  params: {},
  input: true,
  blocks: [[node.id]],
  entry: 0,
  nodes: { [node.id]: node },
  labels: {},
  prompts: { 'ask@1': { parts: [{ slot: ['text'] }] } },
})
let commands = 0
export const commandOf = (input, more = {}) => {
  const id = `${process.pid}-${(commands += 1)}`
  return {
    runId: `run-${id}`,
    rootRunId: `run-${id}`,
    tenant: 'bench',
    flow: 'bench/ask',
    version: '1.0.0',
    planHash: '0'.repeat(64),
    engineVersion: 1,
    nodeId: 'ask',
    path: 'ask',
    kind: 'model',
    attempt: 1,
    attemptId: `attempt-${id}`,
    leaseUntilMs: Date.now() + 60_000,
    deadlineMs: Date.now() + 60_000,
    reservation: `attempt-${id}`,
    effectKey: `effect-${id}`,
    priority: 'normal',
    answerPartition: 0,
    input,
    ...more,
  }
}
export const contextOf = (plan, node, input) => ({
  plan,
  node,
  input,
  parts: {},
  media: [],
  signal: new AbortController().signal,
  nowMs: Date.now,
  delivery: 1,
})

export const quantile = (values, share) => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
