// What a call of an MCP tool costs beyond a direct client: the same server, the same tool, stdio, warm, both sides interleaved in rounds
// so that the machine's moods fall on both. The side of Baton is the whole way of a call: the tool found by name, its arguments
// checked, the call timed and bounded, its result checked against the schema of the tool. Not measured: bus, engine and ledger.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const name = 'mcp'

const root = join(import.meta.dirname, '..', '..')
const SERVER = join(root, 'examples', 'mcp-support', 'server.mjs')
const built = (path) => import(pathToFileURL(join(root, path)).href)
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]

const openBaton = async () => {
  const { openPglite, openStore, migrate } = await import('@baton/store')
  const { migrations } = await built('services/tools/dist/migrations/migrations.js')
  const { openMcp } = await built('services/tools/dist/mcp/mcp-source.js')
  const { readMcpServers } = await built('services/tools/dist/mcp/mcp-config.js')
  const { readSection } = await built('services/tools/dist/config/section.js')
  const { checkArguments, runTool } = await built('services/tools/dist/tool-run.js')
  const db = await openPglite()
  const stores = await openStore(db)
  await migrate(db, { scope: 'tools', migrations })
  const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger }
  const yaml = `mcp: { servers: { crm: { command: node, args: [${JSON.stringify(SERVER)}] } } }`
  const source = openMcp({ servers: readMcpServers(readSection(yaml, 'bench').part('mcp')), db, logger, nowMs: Date.now })
  const never = new AbortController().signal
  const context = { tenant: 'default', effectKey: 'k', runId: 'r', flow: 'f', path: 'p', db, stores, nowMs: Date.now, logger }
  const call = async (toolName, args) => {
    const tool = await source.find(toolName)
    const checked = checkArguments(tool, args)
    return (await runTool(tool, { args: checked, timeoutMs: tool.timeoutMs, context, signal: () => never })).output
  }
  return { call, close: async () => (await source.close(), await db.close()) }
}

const openDirect = async () => {
  const { Client } = await import('@modelcontextprotocol/client')
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [SERVER], stderr: 'ignore' }))
  await client.listTools() // so that it checks structured content too
  return { call: (tool, args) => client.callTool({ name: tool, arguments: args }), close: () => client.close() }
}

const measure = async (calls, work) => {
  const times = []
  for (let n = 0; n < calls; n += 1) {
    const started = performance.now()
    await work()
    times.push(performance.now() - started)
  }
  return times
}

export const run = async ({ quick }) => {
  const rounds = quick ? 5 : 20
  const calls = quick ? 40 : 100
  const [direct, baton] = await Promise.all([openDirect(), openBaton()])
  try {
    const args = { id: 'c-1' }
    const ours = () => baton.call('crm/customer', args)
    const theirs = () => direct.call('customer', args)
    await measure(100, ours)
    await measure(100, theirs)
    const seen = { direct: [], baton: [], over: [] }
    for (let round = 0; round < rounds; round += 1) {
      const first = round % 2 === 0
      const a = await measure(calls, first ? theirs : ours)
      const b = await measure(calls, first ? ours : theirs)
      const [direct1, baton1] = first ? [a, b] : [b, a]
      seen.direct.push(...direct1)
      seen.baton.push(...baton1)
      seen.over.push(quantile(baton1, 0.5) - quantile(direct1, 0.5))
    }
    const over = quantile(seen.baton, 0.5) - quantile(seen.direct, 0.5)
    const ms = (value) => `${value.toFixed(3)} ms`
    const note = `direct p50 ${ms(quantile(seen.direct, 0.5))}, p95 ${ms(quantile(seen.direct, 0.95))}; Baton p50 ${ms(quantile(seen.baton, 0.5))}, p95 ${ms(quantile(seen.baton, 0.95))}; ${rounds} rounds of ${calls} calls, by round ${ms(quantile(seen.over, 0.05))} to ${ms(quantile(seen.over, 0.95))}`
    return [{ what: 'MCP call over stdio, warm, beyond a direct client, p50', must: '<= 1 ms', seen: ms(over), ok: over <= 1, note }]
  } finally {
    await baton.close()
    await direct.close()
  }
}
