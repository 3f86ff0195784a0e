// A server as a child process that speaks JSON-RPC, one message a line.
//   P1. A message longer than the limit, one that is not JSON, and more messages in a second than allowed end the process: what cannot be
//       read cannot be waited for.
//   P2. The end of the process is told once, with why; nothing is heard of it afterwards.
//   P3. Closing asks first (end of input), then tells (SIGTERM), then ends the whole group (SIGKILL): nothing is left behind.
//   P4. The process is given the few variables that any program needs and those of its configuration; Baton's own stay here.
import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { createLineReader, LineTooLong } from './line-reader.ts'
import { createRateWatch } from './rate-watch.ts'

const INHERITED = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER'] as const
const STDERR_CHARS_KEPT = 2_000
const CLOSE_STEP_MS = 500

export type StdioOptions = {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string | undefined
  readonly messageBytesMax: number
  readonly messagesPerSecondMax: number
}

const running = new Set<ChildProcess>()
let watching = false

/** Ends a process and what it started. */
const kill = (child: ChildProcess, signal: NodeJS.Signals): void => {
  const { pid } = child
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // It is gone already.
  }
}

const remember = (child: ChildProcess): void => {
  running.add(child)
  child.once('close', () => running.delete(child))
  if (watching) return
  watching = true
  process.once('exit', () => running.forEach((left) => kill(left, 'SIGKILL')))
}

const environment = (own: Readonly<Record<string, string>>): Record<string, string> => {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))
  return { ...Object.fromEntries(inherited), ...own } // P4
}

/** The transport of one child process. */
export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** Why the process ended, as far as it is known. */
  ended: string | undefined
  readonly #options: StdioOptions
  #child: ChildProcess | undefined
  #stderr = ''
  #over = false

  constructor(options: StdioOptions) {
    this.#options = options
  }

  /** Both tell the client that this is a pipe and not a network. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }
  get stderr(): string {
    return this.#stderr
  }

  start(): Promise<void> {
    const { command, args, env, cwd } = this.#options
    // `node` is the one that runs Baton, whatever the PATH says.
    const child = spawn(command === 'node' ? process.execPath : command, args, {
      env: environment(env),
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      windowsHide: true,
      detached: process.platform !== 'win32', // a group of its own (P3)
    })
    this.#child = child
    remember(child)
    const started = new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => {
        reject(error)
        this.#end(`cannot be started: ${error.message}`)
      })
    })
    child.once('close', (code, signal) => this.#end(signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`))
    child.stdin.on('error', () => undefined) // A pipe that broke is told by `close`.
    child.stderr.on('data', (piece: Buffer) => {
      this.#stderr = (this.#stderr + piece.toString('utf8')).slice(-STDERR_CHARS_KEPT)
    })
    this.#listen(child)
    return started
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (stdin === undefined || stdin === null || this.#over || !stdin.writable)
      return Promise.reject(new Error('the server is not running'))
    const line = `${JSON.stringify(message)}\n`
    if (stdin.write(line)) return Promise.resolve()
    return new Promise((resolve) => {
      stdin.once('drain', resolve)
      stdin.once('close', resolve)
    })
  }

  async close(): Promise<void> {
    const child = this.#child
    this.#end('closed')
    if (child === undefined) return
    const gone = (): boolean => child.exitCode !== null || child.signalCode !== null
    const closed = new Promise<void>((resolve) => void (gone() ? resolve() : child.once('close', () => resolve())))
    const step = (): Promise<void> => Promise.race([closed, sleep(CLOSE_STEP_MS, undefined, { ref: false })])
    child.stdin?.end() // P3
    await step()
    if (!gone()) kill(child, 'SIGTERM')
    if (!gone()) await step()
    kill(child, 'SIGKILL')
  }

  #listen(child: ChildProcess): void {
    const { messageBytesMax, messagesPerSecondMax } = this.#options
    const reader = createLineReader(messageBytesMax)
    const withinRate = createRateWatch(messagesPerSecondMax)
    child.stdout?.on('data', (piece: Buffer) => {
      if (this.#over) return
      try {
        for (const line of reader.take(piece)) {
          if (!withinRate()) return this.#refuse(`sends more than ${messagesPerSecondMax} messages a second`)
          if (!this.#take(line)) return
        }
      } catch (error) {
        if (!(error instanceof LineTooLong)) throw error
        this.#refuse(`sends a message of more than ${messageBytesMax} bytes`)
      }
    })
  }

  /** One line; what does not begin like a message is somebody's print statement. */
  #take(line: string): boolean {
    if (!line.startsWith('{')) return true
    let message: JSONRPCMessage
    try {
      message = JSON.parse(line) as JSONRPCMessage // the client discriminates it by its own guards
    } catch {
      this.#refuse('sends what is not JSON')
      return false
    }
    this.onmessage?.(message)
    return !this.#over
  }

  #refuse(why: string): void {
    const child = this.#child
    this.onerror?.(new Error(why))
    this.#end(why) // P1
    if (child !== undefined) kill(child, 'SIGKILL')
  }

  #end(why: string): void {
    if (this.#over) return
    this.#over = true
    this.ended = why
    this.onclose?.() // P2
  }
}
