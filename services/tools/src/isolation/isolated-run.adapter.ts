// Functions in threads of their own.
//   Z1. A call that takes too long, or too much memory, ends with its thread; the service goes on.
//   Z2. A thread sees no variables of the environment, no database and no connection of ours: arguments in, output out.
//   Z3. Threads are kept for the next call and never shared by two at once; one that failed is not used again.
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Fault, isFaultCode, type Json } from '@baton/contracts'
import type { ToolContext } from '../tool.ts'

/** What is known outside of a thread is not known inside: the code of a thread is text. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const clone = (value) => (value === undefined ? null : JSON.parse(JSON.stringify(value)))
const ready = import(workerData.file).then((module) => {
  const found = Object.values(module).flat().find((one) => one !== null && typeof one === 'object' && one.name === workerData.name)
  if (found === undefined) throw new Error(workerData.name + ' is not in its file')
  return found
})
parentPort.on('message', async ({ args, context }) => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const call = { ...context, nowMs: () => Date.now(), signal: new AbortController().signal, logger }
  try {
    parentPort.postMessage({ output: clone(await (await ready).run(args, call)) })
  } catch (error) {
    const { code, message } = Object(error)
    parentPort.postMessage({ failed: { code: typeof code === 'string' ? code : '', message: String(message ?? error).slice(0, 1000) } })
  }
})
`

export type IsolationLimits = { readonly memoryMbMax: number; readonly threadsMax: number }
const ISOLATION_LIMITS: IsolationLimits = { memoryMbMax: 64, threadsMax: 4 }

type Answer = { readonly output?: Json; readonly failed?: { readonly code: string; readonly message: string } }
type Waiting = { readonly resolve: (worker: Worker) => void; readonly reject: (error: unknown) => void }

/** The context as a thread may have it (Z2). */
const plainContext = ({ tenant, effectKey, runId, flow, path, user, session }: ToolContext): Readonly<Record<string, string>> => ({
  tenant,
  effectKey,
  runId,
  flow,
  path,
  ...(user === undefined ? {} : { user }),
  ...(session === undefined ? {} : { session }),
})

/** The threads of one function. */
export class IsolatedFunction {
  readonly #file: string
  readonly #name: string
  readonly #limits: IsolationLimits
  readonly #idle: Worker[] = []
  readonly #waiting: Waiting[] = []
  readonly #alive = new Set<Worker>()

  constructor({ file, name, limits = ISOLATION_LIMITS }: { file: string; name: string; limits?: IsolationLimits }) {
    this.#file = pathToFileURL(file).href
    this.#name = name
    this.#limits = limits
  }

  /** Runs it in a thread. Aborting the signal of the call ends the thread (Z1). */
  async run(args: Json, context: ToolContext): Promise<Json> {
    const worker = await this.#take(context.signal)
    const { answer, over } = await this.#ask(worker, args, context)
    if (over !== undefined) {
      this.#drop(worker)
      throw over
    }
    this.#give(worker)
    const { failed, output = null } = answer ?? {}
    if (failed === undefined) return output
    // A fault of the function itself says that nothing happened; anything else says nothing.
    if (isFaultCode(failed.code)) throw new Fault(failed.code, failed.message, { tool: this.#name })
    throw new Error(failed.message)
  }

  #ask(worker: Worker, args: Json, context: ToolContext): Promise<{ readonly answer?: Answer; readonly over?: Error }> {
    return new Promise((resolve) => {
      const settle = (end: { answer?: Answer; over?: Error }): void => {
        worker.off('message', onMessage)
        worker.off('error', onError)
        worker.off('exit', onExit)
        context.signal.removeEventListener('abort', onAbort)
        resolve(end)
      }
      const onAbort = (): void => settle({ over: new Error('it was stopped') })
      const onExit = (): void => settle({ over: new Error('its thread ended') })
      const onMessage = (answer: Answer): void => settle({ answer })
      const onError = (error: Error & { code?: string }): void => {
        const why = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needs more than ${this.#limits.memoryMbMax} MB` : error.message
        settle({ over: new Error(why) })
      }
      worker.on('message', onMessage)
      worker.on('error', onError)
      worker.on('exit', onExit)
      context.signal.addEventListener('abort', onAbort, { once: true })
      if (context.signal.aborted) return onAbort()
      worker.ref()
      worker.postMessage({ args, context: plainContext(context) })
    })
  }

  #take(signal: AbortSignal): Promise<Worker> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return Promise.resolve(idle)
    if (this.#alive.size < this.#limits.threadsMax) return Promise.resolve(this.#start())
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject }
      this.#waiting.push(waiting)
      signal.addEventListener(
        'abort',
        () => {
          const at = this.#waiting.indexOf(waiting)
          if (at >= 0) this.#waiting.splice(at, 1)
          reject(new Fault('tool.rate_limited', `${this.#name} has no thread free`, { tool: this.#name }))
        },
        { once: true },
      )
    })
  }

  #start(): Worker {
    const worker = new Worker(THREAD, {
      eval: true,
      env: {}, // Z2
      workerData: { file: this.#file, name: this.#name },
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: this.#limits.memoryMbMax,
        maxYoungGenerationSizeMb: Math.max(8, this.#limits.memoryMbMax / 4),
      },
    })
    this.#alive.add(worker)
    worker.on('error', () => undefined) // of a thread that nobody waits for
    worker.on('exit', () => this.#gone(worker))
    worker.unref()
    return worker
  }

  #give(worker: Worker): void {
    worker.unref()
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(worker)
    else next.resolve(worker)
  }

  #drop(worker: Worker): void {
    this.#alive.delete(worker)
    void worker.terminate()
    const next = this.#waiting.shift()
    if (next !== undefined) next.resolve(this.#start()) // Z3
  }

  #gone(worker: Worker): void {
    this.#alive.delete(worker)
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()))
  }
}
