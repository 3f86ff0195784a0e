// The example workers of other teams as processes, in every language that can be had on this machine.
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild, type Child } from '../../libs/testing/src/servers/child-process.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples')
const PREPARE_MS_MAX = 240_000
const READY_MS_MAX = 60_000

export type Language = 'node' | 'python' | 'go'
/** The command of a worker, or why there is none here. */
export type Prepared = { readonly ok: true; readonly command: readonly string[] } | { readonly ok: false; readonly reason: string }

type Step = { readonly command: string; readonly args: readonly string[]; readonly cwd?: string }

/** Runs one after the other; the reason why one failed. */
const attempt = (steps: readonly Step[]): string | undefined => {
  for (const { command, args, cwd } of steps) {
    const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: PREPARE_MS_MAX })
    if (status !== 0) return `${command} ${args.join(' ')}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `ended with ${status}`}`
  }
  return undefined
}

const prepared = (steps: readonly Step[], command: readonly string[]): Prepared => {
  const reason = attempt(steps)
  return reason === undefined ? { ok: true, command } : { ok: false, reason }
}

/** Installs or builds the worker in a temporary folder. What cannot be had here is said, never imitated. */
export const prepareWorker = (language: Language): Prepared => {
  const source = join(EXAMPLES, `worker-${language}`)
  if (language === 'node') return { ok: true, command: [process.execPath, join(source, 'worker.mjs')] }
  const dir = mkdtempSync(join(tmpdir(), `baton-worker-${language}-`))
  if (language === 'go') {
    const binary = join(dir, 'worker')
    return prepared([{ command: 'go', args: ['build', '-o', binary, '.'], cwd: source }], [binary])
  }
  const python = join(dir, 'bin', 'python')
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(source, 'requirements.txt')]
  return prepared(
    [
      { command: 'python3', args: ['-m', 'venv', dir] },
      { command: python, args: install },
    ],
    [python, '-u', join(source, 'worker.py')],
  )
}

/** Starts a worker; resolves when it listens. It ends with this process. */
export const startWorker = async (command: readonly string[], env: Readonly<Record<string, string>>): Promise<Child> => {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const child = await startChild({
    command: '/usr/bin/env',
    args: ['-u', 'NODE_OPTIONS', ...variables, ...command],
    cwd: EXAMPLES,
    stopSignal: 'TERM',
  })
  await child.printed(/^ready: /m, READY_MS_MAX)
  return child
}
