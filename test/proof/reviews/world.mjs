// Flows that ask people, configuration for them, and what the proofs of reviews do with the API.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const HOOK_SECRET = 'the secret of the proof, long enough'

const asks = (name, human, more = '') => `
flow: proof/${name}@1.0.0
limits: { time: 10m, total: 1d }
input: { n: number, text: string }
steps:
  - ask:
      human: { queue: ${name}, ${human} }
      with: { question: =input.text, draft: { text: =input.text, n: =input.n }, previous: { text: Before., n: =input.n } }
      returns: { text: string, n: number }
${more}
output: { text: =ask.text, n: =ask.n, by: =ask.by }
`

export const FLOWS = {
  'desk/flow.yaml': asks(
    'desk',
    'title: What do we tell this customer?, priority: high, sla: 1h, reasons: { tone: Be friendlier., wrong: It is wrong. }',
  ),
  'crowd/flow.yaml': asks('crowd', 'sla: 1h, quorum: { n: 2, of: 3 }, kind: approval, risk: irreversible'),
  'climb/flow.yaml': asks('climb', 'sla: 3s, chain: [{ queue: leads, sla: 8s }], risk: reversible'),
  'advice/flow.yaml': asks('advice', 'sla: 2s, risk: advisory'),
  'held/flow.yaml': asks('held', 'sla: 1h'),
}

const PEOPLE = (hookUrl) => `
queues: { held: { grace: 4s } }
${hookUrl === undefined ? '' : `hooks: { proof: { url: ${hookUrl}, secretEnv: BATON_PROOF_HOOK_SECRET, queues: [desk], events: [requested, decided], tries: 20 } }`}
`

/** Folders of flows and configuration; the variables that name them. */
export const makeWorld = ({ hookUrl } = {}) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-reviews-'))
  for (const [path, text] of Object.entries(FLOWS)) {
    mkdirSync(dirname(join(dir, 'flows', path)), { recursive: true })
    writeFileSync(join(dir, 'flows', path), text)
  }
  mkdirSync(join(dir, 'config'))
  writeFileSync(join(dir, 'config', 'people.yaml'), PEOPLE(hookUrl))
  writeFileSync(join(dir, 'config', 'models.yaml'), 'models: {}\nroutes: {}\n')
  const env = { BATON_FLOWS_DIR: join(dir, 'flows'), BATON_CONFIG_DIR: join(dir, 'config'), BATON_PROOF_HOOK_SECRET: HOOK_SECRET }
  return { dir, env, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** What anybody can do over HTTP; `url` is asked each time, because the gateway may have come back elsewhere. */
export const openApi = (url) => {
  const http = async (method, path, body, headers = {}) => {
    const reply = await fetch(`${url()}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    })
    const text = await reply.text()
    return { status: reply.status, body: text.startsWith('{') ? JSON.parse(text) : text }
  }
  return {
    http,
    start: (flow, id, input) => http('POST', '/v1/runs', { id, flow: `proof/${flow}`, source: 'proof', input }),
    tasks: async (query) => (await http('GET', `/v1/reviews?limit=200&${query}`)).body.items,
    show: async (id) => (await http('GET', `/v1/reviews/${id}`)).body,
    act: (id, action, body) => http('POST', `/v1/reviews/${id}:${action}`, body),
  }
}
