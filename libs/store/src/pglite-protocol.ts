// What passes between the process and the thread that runs PGlite.
import type { Param } from './database.ts'

export type PgliteRequest =
  | { readonly id: number; readonly op: 'query'; readonly tx: number | null; readonly text: string; readonly params: readonly Param[] }
  /** `id` names the transaction from then on. */
  | { readonly id: number; readonly op: 'begin' }
  | { readonly id: number; readonly op: 'end'; readonly tx: number; readonly commit: boolean }
  | { readonly id: number; readonly op: 'close' }

export type PgliteFailure = { readonly message: string; readonly code?: string; readonly severity?: string }

export type PgliteReply =
  | { readonly id: number; readonly ok: true; readonly rows: readonly unknown[]; readonly rowCount: number }
  | { readonly id: number; readonly ok: false; readonly error: PgliteFailure }

/** First message to the thread. `dir` null keeps everything in memory; `archive` is a packed data directory to begin from. */
export type PgliteOpening = { readonly dir: string | null; readonly archive: Uint8Array | null }

/** Its answer: it is open, or why not. */
export type PgliteHello = { readonly hello: true; readonly error?: PgliteFailure }
