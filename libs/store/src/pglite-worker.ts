// The thread that runs PGlite. It must load without the rest of Baton: only PGlite and types are imported, and types are erased.
// PGlite computes without yielding, so in the main thread every statement would hold up everything else.
import { parentPort, type MessagePort } from 'node:worker_threads'
import { PGlite, type Extension, type Transaction } from '@electric-sql/pglite'
import type { PgliteFailure, PgliteHello, PgliteOpening, PgliteReply, PgliteRequest } from './pglite-protocol.ts'

const asText = (value: string): string => value
// bigint, numeric and points in time as text, as pg gives the first two: no number is ever rounded.
const parsers = { 20: asText, 1700: asText, 1082: asText, 1114: asText, 1184: asText }

type OpenTransaction = { readonly tx: Transaction; readonly finish: (commit: boolean) => Promise<void> }

const serve = (db: PGlite, reply: (message: PgliteReply) => void, closed: () => void): ((request: PgliteRequest) => void) => {
  const open = new Map<number, OpenTransaction>()
  const done = (id: number): void => reply({ id, ok: true, rows: [], rowCount: 0 })
  const begin = (id: number): Promise<void> =>
    new Promise((started, refused) => {
      let settle: { commit: () => void; rollback: () => void }
      const outcome = new Promise<void>((commit, reject) => {
        settle = { commit, rollback: () => reject(new Rollback()) }
      })
      // PGlite holds back every other statement until the callback has settled: transactions are serialised.
      const finished = db.transaction(async (tx) => {
        open.set(id, {
          tx,
          finish: async (commit) => {
            open.delete(id)
            if (commit) settle.commit()
            else settle.rollback()
            await finished.catch((error: unknown) => {
              if (!(error instanceof Rollback)) throw error
            })
          },
        })
        started()
        await outcome
      })
      finished.catch(refused)
    })
  const handle = async (request: PgliteRequest): Promise<void> => {
    switch (request.op) {
      case 'query': {
        const target = request.tx === null ? db : open.get(request.tx)?.tx
        if (target === undefined) throw new Error('the transaction has ended')
        const { rows, affectedRows } = await target.query<Record<string, unknown>>(request.text, [...request.params])
        reply({ id: request.id, ok: true, rows, rowCount: rows.length > 0 ? rows.length : (affectedRows ?? 0) })
        return
      }
      case 'begin': {
        await begin(request.id)
        done(request.id)
        return
      }
      case 'end': {
        await open.get(request.tx)?.finish(request.commit)
        done(request.id)
        return
      }
      case 'close': {
        await db.close()
        done(request.id)
        closed()
      }
    }
  }
  return (request) => {
    handle(request).catch((error: unknown) => reply({ id: request.id, ok: false, error: failureOf(error) }))
  }
}

class Rollback extends Error {}

const failureOf = (error: unknown): PgliteFailure => {
  const message = error instanceof Error ? error.message : String(error)
  const field = (name: 'code' | 'severity'): { [key: string]: string } => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? { [name]: value } : {}
  }
  return { message, ...field('code'), ...field('severity') }
}

/** Comparing vectors, where its package is installed; nothing needs it. */
const pgvector = (): Promise<Extension | undefined> =>
  import('@electric-sql/pglite-pgvector').then(
    ({ vector }) => vector,
    () => undefined,
  )

const open = async ({ dir, archive }: PgliteOpening, port: MessagePort): Promise<void> => {
  const hello = (message: PgliteHello): void => port.postMessage(message)
  try {
    const vector = await pgvector()
    const db = new PGlite(dir === null ? 'memory://' : dir, {
      parsers,
      ...(vector === undefined ? {} : { extensions: { vector } }),
      ...(archive === null ? {} : { loadDataDir: new Blob([new Uint8Array(archive)]) }),
    })
    await db.waitReady
    port.on(
      'message',
      serve(
        db,
        (message) => port.postMessage(message),
        () => port.close(),
      ),
    )
    hello({ hello: true })
  } catch (error) {
    hello({ hello: true, error: failureOf(error) })
    port.close()
  }
}

parentPort?.once('message', (opening: PgliteOpening) => {
  if (parentPort !== null) void open(opening, parentPort)
})
