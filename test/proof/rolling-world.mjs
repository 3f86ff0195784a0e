// The world of the rolling restart: a flow with work for every service, a provider, a tool whose effects are counted, and a home for them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { openUpstream } from '../../scripts/proof-gates/upstream.mjs'

export const FLOW = 'proof/rolling'
export const QUEUE = 'rolling'
const MODEL = 'rolling-model'
/** So that something is under way whenever a process is told to end. */
const MODEL_MS = 300
const EFFECT_MS = 200

const FLOW_TEXT = `flow: ${FLOW}@1.0.0
limits: { time: 120s, total: 1d }
input: { about: string, ask: boolean }
steps:
  - words:
      model: ${MODEL}
      prompt: 'About {{ about }}.'
      with: { about: =input.about }
      returns: { text: string }
  - clean:
      check: { forbidden: { words: [nonsense] } }
      with: { text: =words.text }
  - effect:
      tool: sink/act
      with: { about: =input.about }
      timeout: 10s
  - person:
      when: input.ask
      human: { queue: ${QUEUE}, sla: 1h }
      with: { question: =words.text }
      returns: { text: string }
output: { text: =words.text }
`
const TOOLS_TEXT = (url) => `http:
  sink/act:
    method: POST
    url: ${url}/act
    input: { type: object, properties: { about: { type: string } }, required: [about], additionalProperties: false }
    timeout: 10s
    trusted: true
network:
  allow: [127.0.0.1]
`

/** Counts each effect by what it is about; it never does anything once on its own account. */
const openSink = async () => {
  const effects = new Map()
  const server = createServer(async (request, response) => {
    const { about } = JSON.parse(await text(request))
    effects.set(about, (effects.get(about) ?? 0) + 1)
    await pause(EFFECT_MS)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { effects, url: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) }
}

export const openWorld = async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-rolling-'))
  const upstream = await openUpstream()
  const sink = await openSink()
  const asked = new Map()
  upstream.serve({
    [MODEL]: (prompt) => {
      const about = /About (\S+)\./.exec(prompt)?.[1] ?? ''
      asked.set(about, (asked.get(about) ?? 0) + 1)
      return { delayMs: MODEL_MS, answer: { text: `words about ${about}` } }
    },
  })
  mkdirSync(join(dir, 'flows', 'rolling'), { recursive: true })
  mkdirSync(join(dir, 'config'))
  writeFileSync(join(dir, 'flows', 'rolling', 'flow.yaml'), FLOW_TEXT)
  writeFileSync(join(dir, 'config', 'tools.yaml'), TOOLS_TEXT(sink.url))
  const models = { [MODEL]: { provider: 'openai', model: MODEL, price: { input: 0.15, output: 0.6 } } }
  writeFileSync(join(dir, 'config', 'models.yaml'), JSON.stringify({ models, routes: {} }))
  return {
    effects: sink.effects,
    asked,
    env: {
      BATON_FLOWS_DIR: join(dir, 'flows'),
      BATON_CONFIG_DIR: join(dir, 'config'),
      BATON_EVENTS_PARTITIONS: '6',
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'sk-loopback-000000',
    },
    close: async () => {
      await upstream.close()
      sink.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
