// A snippet of JavaScript in a machine of its own: QuickJS in WebAssembly, inside of a thread.
//   Y1. It has no network, no files, no clock to wait by and nothing of ours: `input` in, its last value out.
//   Y2. Time and memory end it. It is told as an answer that names the reason: whoever wrote the snippet can write a better one.
import { Worker } from 'node:worker_threads'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Fault, type Json } from '@baton/contracts'

const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const { code, input, timeoutMs, memoryBytes, logCharsMax, core, variant } = workerData
;(async () => {
  const { newQuickJSWASMModuleFromVariant, shouldInterruptAfterDeadline } = await import(core)
  const loaded = await import(variant)
  const QuickJS = await newQuickJSWASMModuleFromVariant(loaded.default?.default ?? loaded.default)
  const runtime = QuickJS.newRuntime()
  runtime.setMemoryLimit(memoryBytes)
  runtime.setMaxStackSize(256 * 1024)
  const deadline = Date.now() + timeoutMs
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(deadline))
  const vm = runtime.newContext()
  const logs = []
  let chars = 0
  const log = vm.newFunction('log', (...given) => {
    const line = given.map((one) => { const value = vm.dump(one); return typeof value === 'string' ? value : JSON.stringify(value) }).join(' ')
    chars += line.length
    if (chars <= logCharsMax) logs.push(line)
  })
  const logger = vm.newObject()
  vm.setProp(logger, 'log', log)
  vm.setProp(vm.global, 'console', logger)
  const text = vm.newString(JSON.stringify(input))
  vm.setProp(vm.global, '__input', text)
  vm.unwrapResult(vm.evalCode('globalThis.input = JSON.parse(__input); delete globalThis.__input')).dispose()
  const evaluated = vm.evalCode(code, 'snippet.js')
  const reason = () => Date.now() > deadline ? 'took longer than ' + timeoutMs + ' ms' : undefined
  const failed = (handle) => {
    const { name = 'Error', message = '' } = Object(vm.dump(handle))
    return { ok: false, error: reason() ?? name + ': ' + String(message).slice(0, 500), logs }
  }
  if (evaluated.error) return failed(evaluated.error)
  vm.setProp(vm.global, '__result', evaluated.value)
  runtime.executePendingJobs(1000)
  const json = vm.evalCode('(() => { const it = globalThis.__result; return it === undefined ? "null" : JSON.stringify(it) ?? "null" })()')
  if (json.error) return failed(json.error)
  return { ok: true, json: vm.getString(json.value), logs }
})().then((answer) => parentPort.postMessage(answer), (error) => parentPort.postMessage({ ok: false, error: String(error && error.message).slice(0, 500), logs: [] }))
`

export type Snippet = { readonly code: string; readonly input: Json }
export type SnippetLimits = {
  readonly timeoutMs: number
  readonly memoryBytesMax: number
  readonly outputCharsMax: number
  readonly logCharsMax: number
}
export type SnippetAnswer = { readonly ok: boolean; readonly result: Json; readonly error: string | null; readonly logs: readonly string[] }

type Said =
  | { readonly ok: true; readonly json: string; readonly logs: readonly string[] }
  | { readonly ok: false; readonly error: string; readonly logs: readonly string[] }

/** Beside the time of the snippet: starting its thread and its machine. */
const START_MS = 5_000
/** Beside the memory of the snippet: that of the machine itself. */
const HOST_MB = 64

const { resolve } = createRequire(import.meta.url)

const answerOf = (said: Said, { outputCharsMax }: SnippetLimits): SnippetAnswer => {
  if (!said.ok) return { ok: false, result: null, error: said.error, logs: said.logs }
  if (said.json.length > outputCharsMax)
    return { ok: false, result: null, error: `gave more than ${outputCharsMax} characters`, logs: said.logs }
  return { ok: true, result: JSON.parse(said.json) as Json, error: null, logs: said.logs } // made by JSON.stringify inside
}

/** Runs a snippet. Throws `tool.failed` where its machine did not start. */
export const runSnippet = (snippet: Snippet, { limits, signal }: { limits: SnippetLimits; signal: AbortSignal }): Promise<SnippetAnswer> =>
  new Promise((done, reject) => {
    const thread = new Worker(THREAD, {
      eval: true,
      env: {},
      workerData: {
        ...snippet,
        timeoutMs: limits.timeoutMs,
        memoryBytes: limits.memoryBytesMax,
        logCharsMax: limits.logCharsMax,
        core: pathToFileURL(resolve('quickjs-emscripten-core')).href,
        variant: pathToFileURL(resolve('@jitl/quickjs-wasmfile-release-sync')).href,
      },
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: HOST_MB },
    })
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      thread.removeAllListeners()
      thread.on('error', () => undefined)
      void thread.terminate()
      settle()
    }
    const fail = (why: string): void => end(() => reject(new Fault('tool.failed', `the snippet was not run: ${why}`)))
    const onAbort = (): void => fail('it was stopped')
    const timer = setTimeout(
      () => end(() => done({ ok: false, result: null, error: `took longer than ${limits.timeoutMs} ms`, logs: [] })),
      limits.timeoutMs + START_MS,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    thread.once('message', (said: Said) => end(() => done(answerOf(said, limits))))
    thread.once('error', (error) => fail(error.message))
    thread.once('exit', () => fail('its thread ended'))
  })
