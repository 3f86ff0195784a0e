// PGlite in a thread of its own, behind the Database port.
//   P1. The process never waits for a statement: everything goes through messages.
//   P2. Transactions are serialised; a statement outside waits for the one under way.
//   P3. When the thread dies, what was under way rejects with `store.unavailable`; a directory is opened again by the next call (D2),
//       memory is gone and every further call rejects.
import { Worker } from 'node:worker_threads'
import { Fault } from '@baton/contracts/fault'
import type { Database, Param, Queryable, Rows } from './database.ts'
import { toDatabaseError } from './database-fault.ts'
import { ensureDataDir, templateArchive } from './pglite-template.ts'
import { tidy, UPKEEP_EVERY_MS } from './pglite-upkeep.ts'
import type { PgliteFailure, PgliteHello, PgliteOpening, PgliteReply, PgliteRequest } from './pglite-protocol.ts'

export type PgliteOptions = {
  /** Data directory; absent keeps everything in memory. One process at a time: the caller holds the lock of the directory around it. */
  readonly dir?: string
  /** PGlite cannot cancel a statement: when nothing has been answered for so long, its thread is ended (P3). Default 60,000. */
  readonly statementTimeoutMs?: number
}

/** Opens it and waits until it answers. Throws `store.damaged` when the directory cannot be opened. */
export const openPglite = async (options: PgliteOptions = {}): Promise<Database> => {
  let opened: Promise<PgliteThread> | undefined
  let closed = false
  const thread = async (): Promise<PgliteThread> => {
    if (closed) throw new Fault('store.unavailable', 'the database is closed')
    if (opened === undefined) {
      opened = startThread(options)
      opened.catch(() => {
        opened = undefined
      })
    }
    const current = await opened
    if (!current.dead) return current
    if (options.dir === undefined) throw new Fault('store.unavailable', 'the database in memory is gone: its thread ended') // P3
    opened = undefined
    return thread()
  }
  await thread()
  const query: Database['query'] = async (text, params) => (await thread()).query(text, params, null)
  // What fails is tried again at the next look.
  const upkeep = setInterval(() => void tidy({ query }).catch(() => undefined), UPKEEP_EVERY_MS)
  upkeep.unref()
  return {
    kind: 'pglite',
    query,
    transaction: async (work) => (await thread()).transaction(work),
    close: async () => {
      closed = true
      clearInterval(upkeep)
      const current = await opened
      if (current?.dead === false) await current.close()
    },
  }
}

type PgliteThread = {
  readonly dead: boolean
  query<R>(text: string, params: readonly Param[] | undefined, tx: number | null): Promise<Rows<R>>
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

// The thread runs the compiled file, or from source the TypeScript one, whose types Node itself strips.
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './pglite-worker.ts' : './pglite-worker.js', import.meta.url)

const startThread = async ({ dir, statementTimeoutMs = 60_000 }: PgliteOptions): Promise<PgliteThread> => {
  // The thread loads PGlite while the directory is made.
  const worker = new Worker(ENTRY, { stdout: true, stderr: true })
  const said: string[] = []
  worker.stderr.on('data', (chunk: Buffer) => said.length < 20 && said.push(chunk.toString()))
  worker.stdout.resume()
  try {
    const greeted = greeting(worker)
    greeted.catch(() => undefined) // Heard below, unless the directory fails first.
    if (dir !== undefined) await ensureDataDir(dir)
    const opening: PgliteOpening = { dir: dir ?? null, archive: dir === undefined ? await templateArchive() : null }
    worker.postMessage(opening)
    await greeted
  } catch (error) {
    await worker.terminate()
    if (error instanceof Fault) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const seen = said.join('').trim().slice(0, 400)
    throw new Fault('store.damaged', `PGlite cannot open ${dir ?? 'a database in memory'}: ${reason}${seen === '' ? '' : ` (${seen})`}`, {
      dir: dir ?? '',
    })
  }
  return converse(worker, statementTimeoutMs)
}

const greeting = (worker: Worker): Promise<void> =>
  new Promise((resolve, reject) => {
    const ended = (code: number): void => reject(new Error(`the thread ended with ${code}`))
    worker.once('error', reject)
    worker.once('exit', ended)
    worker.once('message', ({ error }: PgliteHello) => {
      worker.off('error', reject)
      worker.off('exit', ended)
      if (error === undefined) resolve()
      else reject(new Error(error.message))
    })
  })

type Waiting = {
  readonly resolve: (reply: { rows: readonly unknown[]; rowCount: number }) => void
  readonly reject: (error: unknown) => void
}

const converse = (worker: Worker, timeoutMs: number): PgliteThread => {
  const waiting = new Map<number, Waiting>()
  let nextId = 1
  let dead = false
  let movedAt = performance.now()
  const watch = setInterval(() => {
    if (waiting.size > 0 && performance.now() - movedAt > timeoutMs) void worker.terminate()
  }, timeoutMs / 4)
  watch.unref()
  const end = (error: Error | undefined): void => {
    dead = true
    clearInterval(watch)
    const fault = new Fault('store.unavailable', `the database thread ended${error === undefined ? '' : `: ${error.message}`}`)
    for (const { reject } of waiting.values()) reject(fault) // P3
    waiting.clear()
  }
  worker.on('error', end)
  worker.on('exit', () => end(undefined))
  worker.on('message', (reply: PgliteReply) => {
    movedAt = performance.now()
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.ok) asked?.resolve(reply)
    else asked?.reject(toDatabaseError(errorOf(reply.error)))
    // The WebAssembly instance is gone after a panic; only a new thread helps.
    if (!reply.ok && reply.error.severity === undefined && /Aborted\(|unreachable|memory access out of bounds/.test(reply.error.message))
      void worker.terminate()
  })
  const ask = (request: PgliteRequest): Promise<{ rows: readonly unknown[]; rowCount: number }> =>
    new Promise((resolve, reject) => {
      if (dead) {
        reject(new Fault('store.unavailable', 'the database thread ended'))
        return
      }
      if (waiting.size === 0) movedAt = performance.now()
      waiting.set(request.id, { resolve, reject })
      worker.postMessage(request)
    })
  const query = async <R>(text: string, params: readonly Param[] | undefined, tx: number | null): Promise<Rows<R>> => {
    const { rows, rowCount } = await ask({ id: nextId++, op: 'query', tx, text, params: params ?? [] })
    // The row type is what the caller says its statement gives.
    return { rows: rows as readonly R[], rowCount }
  }
  return {
    get dead() {
      return dead
    },
    query,
    transaction: async (work) => {
      const tx = nextId++
      await ask({ id: tx, op: 'begin' })
      try {
        const result = await work({ query: (text, params) => query(text, params, tx) })
        await ask({ id: nextId++, op: 'end', tx, commit: true })
        return result
      } catch (error) {
        if (!dead) await ask({ id: nextId++, op: 'end', tx, commit: false }).catch(() => undefined)
        throw error
      }
    },
    close: async () => {
      await ask({ id: nextId++, op: 'close' })
      await worker.terminate()
    },
  }
}

const errorOf = ({ message, code, severity }: PgliteFailure): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code }, severity === undefined ? {} : { severity })
