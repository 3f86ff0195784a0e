// A program of somebody else in a process of its own.
//   W1. It has a network of its own with nothing in it, given by the kernel (Linux, user namespaces). Where the kernel does not give one,
//       nothing is run.
//   W2. It reads and writes no file, starts no process and no thread, and has no variable of our environment (Node's permission model).
//   W3. Time, processor time, memory and output end it, and its whole group is killed. It is told as an answer that names the reason.
//   W4. Beside that it runs in a realm with nothing of Node in it: W1 and W2 hold for one that gets out of there too.
import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { Fault, type Json } from '@baton/contracts'

export type ProcessLimits = {
  readonly timeoutMs: number
  readonly memoryMbMax: number
  readonly outputCharsMax: number
  readonly logCharsMax: number
}
export type ProgramAnswer = { readonly ok: boolean; readonly result: Json; readonly error: string | null; readonly logs: readonly string[] }

/** Runs in the child: reads `{ code, input, logCharsMax }` from its input, writes one line of JSON. */
const REALM = `
const { constants, createContext, runInContext } = require('node:vm')
let text = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (piece) => { text += piece })
process.stdin.on('end', () => {
  const { code, input, logCharsMax } = JSON.parse(text)
  const realm = createContext(constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false } })
  const inside = (source) => runInContext(source, realm, { filename: 'program.js' })
  const logs = inside(
    'globalThis.input = JSON.parse(' + JSON.stringify(JSON.stringify(input)) + ');' +
    '(() => { const lines = []; let chars = 0; globalThis.console = { log: (...all) => {' +
    'const line = all.map((one) => typeof one === "string" ? one : JSON.stringify(one)).join(" ");' +
    'chars += line.length; if (chars <= ' + Number(logCharsMax) + ') lines.push(line) } }; return () => JSON.stringify(lines) })()')
  const written = inside('(it) => JSON.stringify(it) ?? "null"')
  const say = (answer) => process.stdout.write(JSON.stringify({ ...answer, logs: JSON.parse(logs()) }) + '\\n')
  Promise.resolve()
    .then(() => inside(code))
    .then((value) => say({ ok: true, json: written(value) }))
    .catch((error) => say({ ok: false, error: (String(error?.name ?? 'Error') + ': ' + String(error?.message ?? error)).slice(0, 500) }))
})
`

/** What Node itself takes of the memory that may be written, in KiB. */
const NODE_KIB = 600_000
const WRAPPER = 'ulimit -t "$1"; ulimit -f 0; ulimit -c 0; ulimit -n 64; ulimit -d "$2"; shift 2; exec unshare --user --net -- "$@"'
/** Signs that the program was never begun: the kernel gives no namespace, or there is no `unshare`. */
const NO_NAMESPACE = /unshare(?:: |.*not found)/

const begin = (script: string, { timeoutMs, memoryMbMax }: ProcessLimits): ChildProcess => {
  const seconds = String(Math.ceil(timeoutMs / 1_000) + 1)
  const kib = String(NODE_KIB + memoryMbMax * 1_024)
  const node = [process.execPath, '--permission', `--max-old-space-size=${memoryMbMax}`, '--disable-proto=delete', '-e', script]
  return spawn('/bin/sh', ['-c', WRAPPER, 'sh', seconds, kib, ...node], {
    cwd: tmpdir(),
    env: { PATH: '/usr/bin:/bin' }, // W2; for unshare
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // A group of its own, to be killed as a whole (W3).
  })
}

const killGroup = ({ pid }: ChildProcess): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

type Ended = { readonly out: string; readonly said: string; readonly why?: string }

/** Runs a script of ours or of a test in the sandbox, to what it wrote, or why it was ended. Rejects when `signal` aborts. */
export const inSandbox = (
  script: string,
  { given, limits, signal }: { readonly given: string; readonly limits: ProcessLimits; readonly signal: AbortSignal },
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = begin(script, limits)
    let out = ''
    let said = ''
    let why: string | undefined
    const end = (reason: string): void => {
      why ??= reason
      killGroup(child)
    }
    const timer = setTimeout(() => end(`took longer than ${limits.timeoutMs} ms`), limits.timeoutMs)
    const onAbort = (): void => end('it was stopped')
    signal.addEventListener('abort', onAbort, { once: true })
    child.stdout?.on('data', (piece: Buffer) => {
      out += piece.toString('utf8')
      if (out.length > limits.outputCharsMax + limits.logCharsMax + 1_000) end(`gave more than ${limits.outputCharsMax} characters`)
    })
    child.stderr?.on('data', (piece: Buffer) => (said = (said + piece.toString('utf8')).slice(-2_000)))
    child.stdin?.on('error', () => undefined).end(given) // A child that ended early reads nothing.
    child.once('error', (error) => end(error.message))
    child.once('close', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      killGroup(child)
      if (signal.aborted) reject(new Fault('tool.failed', 'the program was stopped'))
      else resolve({ out, said, ...(why === undefined ? {} : { why }) })
    })
  })

const failed = (error: string, logs: readonly string[] = []): ProgramAnswer => ({ ok: false, result: null, error, logs })

/** What it wrote, as an answer. */
const answerOf = ({ out, said, why }: Ended, { memoryMbMax, outputCharsMax }: ProcessLimits): ProgramAnswer => {
  if (why !== undefined) return failed(why)
  const line = out.trim()
  if (line === '') {
    if (NO_NAMESPACE.test(said))
      throw new Fault('tool.unreachable', 'the kernel gives no network namespace here, and without one no program is run') // W1
    return failed(/heap|memory|alloc/i.test(said) ? `needs more than ${memoryMbMax} MB` : 'ended without an answer')
  }
  const answer = JSON.parse(line) as { ok: boolean; json?: string; error?: string; logs: string[] } // written by REALM
  if (!answer.ok) return failed(answer.error ?? 'failed', answer.logs)
  const { json = 'null', logs } = answer
  if (json.length > outputCharsMax) return failed(`gave more than ${outputCharsMax} characters`, logs)
  return { ok: true, result: JSON.parse(json) as Json, error: null, logs } // made by JSON.stringify inside
}

/** Runs a program. Throws `tool.unreachable` where there is no sandbox. */
export const runProgram = async (
  { code, input }: { readonly code: string; readonly input: Json },
  { limits, signal }: { readonly limits: ProcessLimits; readonly signal: AbortSignal },
): Promise<ProgramAnswer> => {
  const given = JSON.stringify({ code, input, logCharsMax: limits.logCharsMax })
  return answerOf(await inSandbox(REALM, { given, limits, signal }), limits)
}
