// The client of the tools service, from the build, on a database of its own.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..', '..')
const built = (path) => import(pathToFileURL(join(root, 'services', 'tools', 'dist', path)).href)

/** A source of the servers given, and a way to call their tools. */
export const openClient = async () => {
  const { openPglite, openStore, migrate } = await import('@baton/store')
  const [{ migrations }, { openMcp }, { readMcpServers }, { readSection }, { checkArguments, runTool }] = await Promise.all(
    ['migrations/migrations.js', 'mcp/mcp-source.js', 'mcp/mcp-config.js', 'config/section.js', 'tool-run.js'].map(built),
  )
  const db = await openPglite()
  const stores = await openStore(db)
  await migrate(db, { scope: 'tools', migrations })
  const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger }
  const sources = []
  return {
    stores,
    /** Servers by name, as in the section `mcp:` of tools.yaml (YAML takes JSON). */
    open: (servers) => {
      const section = readSection(JSON.stringify({ mcp: { servers } }), 'proof').part('mcp')
      const source = openMcp({ servers: readMcpServers(section), db, logger, nowMs: Date.now })
      sources.push(source)
      return source
    },
    call: async (source, name, args = {}, more = {}) => {
      const tool = await source.find(name)
      if (tool === undefined) throw new Error(`no tool ${name}`)
      const context = {
        tenant: 'default',
        effectKey: 'run/step/0',
        runId: 'run',
        flow: 'f',
        path: 'p',
        db,
        stores,
        nowMs: Date.now,
        logger,
        ...more,
      }
      const signal = AbortSignal.timeout(120_000)
      return (await runTool(tool, { args: checkArguments(tool, args), timeoutMs: tool.timeoutMs, context, signal: () => signal })).output
    },
    close: async () => {
      await Promise.all(sources.map((source) => source.close()))
      await db.close()
    },
  }
}

/** The question that a call ends in. */
export const askedBy = async (call) => {
  try {
    await call
  } catch (error) {
    const asks = error.ask === undefined ? (error.cause ?? error.asks) : error
    if (asks?.ask !== undefined) return asks.ask
    throw error
  }
  throw new Error('nobody was asked')
}

export const answer = (ask, verdict, output) => ({
  answered: {
    taskId: 't',
    verdict,
    output,
    by: 'proof',
    fingerprint: ask.fingerprint ?? '',
    decidedAtMs: 0,
    state: JSON.parse(JSON.stringify(ask.state)),
  },
})

/** The code of the fault that a call ends in. */
export const codeOf = async (call) => {
  try {
    await call
    return 'none'
  } catch (error) {
    return error.fault?.code ?? error.code ?? error.message
  }
}

export const official = (name) => join(root, 'node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js')
export const SUPPORT = join(root, 'examples', 'mcp-support', 'server.mjs')
export const MISBEHAVING = join(root, 'services', 'tools', 'src', 'mcp', 'testing', 'misbehaving-server.mjs')

/** Starts a server that listens; resolves with what it printed once `ready` matches. */
export const startListening = (args, { env = {}, ready }) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const gone = new Promise((done) => child.once('exit', done))
    let output = ''
    const see = (piece) => {
      output += piece
      const found = ready.exec(output)
      if (found !== null) resolve({ found, close: () => (child.kill('SIGKILL'), gone) })
    }
    child.stdout.on('data', see)
    child.stderr.on('data', see)
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}: ${output.slice(-300)}`)))
  })

/** A port that nobody has at the moment. */
export const freePort = async () => {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
