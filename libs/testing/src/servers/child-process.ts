// A server as a child of this process.
//   C1. The child ends with its parent, even when the parent is killed: a small shell holds the other end of a pipe and ends the child when it closes.
//   C2. The child is ended by its own process id, never by name.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'

/** What to start. `uid` and `gid` are for servers that refuse to run as root. */
export type ChildOptions = {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Asks the child to end in order; also sent when the parent is gone. */
  readonly stopSignal: 'TERM' | 'INT'
  readonly uid?: number
  readonly gid?: number
  /** Beside that of this process. */
  readonly env?: Readonly<Record<string, string>>
}

/** A started child. Its output is kept (the last 64 KiB) for error messages. */
export type Child = {
  readonly pid: number
  /** Resolves when the child has ended. */
  readonly exited: Promise<void>
  output(): string
  /** Resolves once the output holds `pattern`; rejects when the child ends or the time is up. */
  printed(pattern: RegExp, timeoutMs: number): Promise<void>
  stop(graceMs: number): Promise<void>
  kill(): Promise<void>
}

const OUTPUT_BYTES_MAX = 65_536

// File 3 tells the child's id, file 4 closes when the parent dies (C1).
const WRAPPER = `
signal=$1; shift
"$@" 3>&- 4<&- &
child=$!
echo $child >&3
exec 3>&-
( read -r line <&4; kill -$signal $child ) >/dev/null 2>&1 &
watch=$!
exec 4<&-
wait $child
code=$?
kill $watch 2>/dev/null
exit $code
`

/** Starts a program that ends with this process. */
export const startChild = async (options: ChildOptions): Promise<Child> => {
  const { command, args, cwd, stopSignal, uid, gid, env = {} } = options
  const shell = spawn('/bin/sh', ['-c', WRAPPER, 'sh', stopSignal, command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_BYTES_MAX)
  }
  shell.stdout?.on('data', collect)
  shell.stderr?.on('data', collect)
  shell.stdio[4]?.on('error', () => undefined) // The pipe breaks when the child ends first.
  const exited = new Promise<void>((resolve) => shell.once('close', () => resolve()))
  const failed = new Promise<never>((_, reject) => shell.once('error', reject))
  const pid = Number(await Promise.race([text(pidPipe(shell)), failed]))
  return {
    pid,
    exited,
    output: () => output,
    printed: (pattern, timeoutMs) => printed({ shell, exited, output: () => output, pattern, timeoutMs, command }),
    stop: async (graceMs) => {
      signalTo(pid, `SIG${stopSignal}`)
      const timer = setTimeout(() => signalTo(pid, 'SIGKILL'), graceMs)
      await exited
      clearTimeout(timer)
    },
    kill: async () => {
      signalTo(pid, 'SIGKILL')
      await exited
    },
  }
}

// The types of `stdio` do not tell that file 3, asked for as a pipe, can be read.
const pidPipe = (shell: ChildProcess): Readable => shell.stdio[3] as Readable

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal) // C2
  } catch (error) {
    // ESRCH: it ended by itself. Not `instanceof Error`: in Jest the error comes from another realm.
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

type Printing = {
  readonly shell: ChildProcess
  readonly exited: Promise<void>
  readonly output: () => string
  readonly pattern: RegExp
  readonly timeoutMs: number
  readonly command: string
}

const printed = ({ shell, exited, output, pattern, timeoutMs, command }: Printing): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (reason?: string): void => {
      clearTimeout(timer)
      shell.stdout?.off('data', check)
      shell.stderr?.off('data', check)
      if (reason === undefined) resolve()
      else reject(new Error(`${command} ${reason}. Its output:\n${output()}`))
    }
    const check = (): void => {
      if (pattern.test(output())) settle()
    }
    const timer = setTimeout(() => settle(`did not print ${String(pattern)} within ${timeoutMs} ms`), timeoutMs)
    shell.stdout?.on('data', check)
    shell.stderr?.on('data', check)
    void exited.then(() => settle('ended'))
    check()
  })
