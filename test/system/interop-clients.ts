// The example clients of other teams as commands, in every language that can be had on this machine.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { javaAvailable, resolveJars } from '../../libs/testing/src/servers/kafka-jars.ts'
import { findProgram } from '../../libs/testing/src/servers/machine.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples')
const PREPARE_MS_MAX = 240_000
const REQUEST_MS_MAX = 90_000

export const FOREIGN_CLIENTS = ['kcat', 'java', 'python', 'go'] as const
export type ForeignClient = (typeof FOREIGN_CLIENTS)[number]

/** How a client is called, or why it is not here. */
export type PreparedClient =
  | { readonly ok: true; readonly command: readonly string[]; readonly env?: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly reason: string }

/** The last line of what went wrong; undefined when it went well. */
const attempt = (command: string, args: readonly string[], cwd?: string): string | undefined => {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: PREPARE_MS_MAX })
  return status === 0
    ? undefined
    : `${command} ${args[0] ?? ''}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `ended with ${status}`}`
}

const folder = (name: string): string => mkdtempSync(join(tmpdir(), `baton-client-${name}-`))

/** The scripts of a Kafka distribution, where only its jars are here. */
const consoleTools = async (): Promise<PreparedClient> => {
  const command = [join(EXAMPLES, 'client-java', 'request.sh')]
  if (findProgram('kafka-console-producer.sh') !== undefined) return { ok: true, command }
  const java = javaAvailable()
  if (!java.ok) return java
  const dir = folder('java')
  const classPath = await resolveJars()
  const tools = {
    'kafka-console-producer.sh': 'org.apache.kafka.tools.ConsoleProducer',
    'kafka-console-consumer.sh': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  }
  for (const [name, main] of Object.entries(tools)) {
    writeFileSync(join(dir, name), `#!/bin/sh\nexec java -Xmx256m -cp '${classPath}' ${main} "$@"\n`)
    chmodSync(join(dir, name), 0o755)
  }
  return { ok: true, command, env: { PATH: `${dir}${delimiter}${process.env['PATH'] ?? ''}` } }
}

const python = (): PreparedClient => {
  const dir = folder('python')
  const own = join(dir, 'bin', 'python')
  const install = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    join(EXAMPLES, 'client-python', 'requirements.txt'),
  ]
  const reason = attempt('python3', ['-m', 'venv', dir]) ?? attempt(own, install)
  return reason === undefined ? { ok: true, command: [own, join(EXAMPLES, 'client-python', 'request.py')] } : { ok: false, reason }
}

const go = (): PreparedClient => {
  const binary = join(folder('go'), 'request')
  const reason = attempt('go', ['build', '-o', binary, '.'], join(EXAMPLES, 'client-go'))
  return reason === undefined ? { ok: true, command: [binary] } : { ok: false, reason }
}

/** Installs or builds a client in a temporary folder. What cannot be had here is said, never imitated. */
export const prepareClient = async (client: ForeignClient): Promise<PreparedClient> => {
  if (client === 'java') return consoleTools()
  if (client === 'python') return python()
  if (client === 'go') return go()
  return findProgram('kcat') === undefined
    ? { ok: false, reason: 'no kcat on PATH' }
    : { ok: true, command: [join(EXAMPLES, 'client-kcat', 'request.sh')] }
}

/** What the client prints. */
export const runClient = (
  { command: [program = '', ...args], env }: PreparedClient & { readonly ok: true },
  request: { readonly brokers: readonly string[]; readonly prefix: string; readonly args: readonly string[] },
): Promise<string> =>
  new Promise((resolve, reject) => {
    const { NODE_OPTIONS: _options, ...inherited } = process.env
    const child = spawn(program, [...args, ...request.args], {
      env: { ...inherited, ...env, KAFKA_BROKERS: request.brokers.join(','), BATON_TOPIC_PREFIX: request.prefix },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: REQUEST_MS_MAX,
    })
    let output = ''
    let complaints = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}: ${complaints}`))))
  })
