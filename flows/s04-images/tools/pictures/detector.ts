// The detector in a thread of its own: it computes for a second or more, and the service has to go on.
//   D1. Loaded at the first picture and kept; pictures are looked at one after another.
//   D2. A look whose time is over ends the thread, and with it whatever it was computing; the next look starts another. While it loads it is
//       left alone: ended then, it would never be ready on a machine that is busy.
//   D3. The thread sees no variables of the environment and keeps the process alive for nothing.
import { Worker } from 'node:worker_threads'
import { Fault } from '@baton/contracts/fault'
import { installed } from './packages.ts'

export type Unsafe = { readonly score: number; readonly label: string; readonly probability: number }
type Answer = {
  readonly id: number
  readonly found?: Unsafe
  readonly failed?: string
  readonly unreadable?: boolean
  readonly loaded?: boolean
}
type Waiting = { readonly resolve: (found: Unsafe) => void; readonly reject: (error: Error) => void }

const PACKAGES = { nsfwjs: 'nsfwjs@4', '@tensorflow/tfjs': '@tensorflow/tfjs@4', '@napi-rs/canvas': '@napi-rs/canvas@1' }

class Thread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0
  #loaded = false
  over = false

  constructor(paths: Readonly<Record<string, string>>) {
    this.#worker = new Worker(new URL('detector-thread.mjs', import.meta.url), { workerData: paths, env: {} }) // D3
    this.#worker.unref()
    this.#worker.on('message', ({ id, found, failed, unreadable, loaded }: Answer) => {
      if (loaded === true) {
        this.#loaded = true
        return
      }
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#worker.unref()
      if (found !== undefined) waiting?.resolve(found)
      else if (unreadable === true) waiting?.reject(new Fault('tool.arguments_invalid', 'a picture cannot be read'))
      else waiting?.reject(new Error(failed))
    })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('the thread of the detector ended')))
  }

  look(picture: Buffer): Promise<Unsafe> {
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({ id, picture })
    })
  }

  /** Ends it, unless it is still loading. */
  async stop(): Promise<void> {
    if (this.#loaded) await this.close()
  }

  async close(): Promise<void> {
    this.over = true
    await this.#worker.terminate()
  }

  #end(error: Error): void {
    this.over = true
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

let thread: Thread | undefined

/** What the detector says of each picture. */
export const unsafeScores = async (pictures: readonly Buffer[], signal: AbortSignal): Promise<readonly Unsafe[]> => {
  signal.throwIfAborted()
  if (thread === undefined || thread.over) thread = new Thread(installed('The detector of unsafe pictures', PACKAGES)) // D1
  const mine = thread
  const stop = (): void => void mine.stop() // D2
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.all(pictures.map((picture) => mine.look(picture)))
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Ends the thread; the next picture starts another. */
export const closeDetector = async (): Promise<void> => {
  const mine = thread
  thread = undefined
  await mine?.close()
}
