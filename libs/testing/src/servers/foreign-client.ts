// A Kafka client that is not ours and not JavaScript: what another team's service looks like from here. kcat (librdkafka) where it is
// installed, else the console tools of the broker's jars.
import { spawn } from 'node:child_process'
import { javaAvailable, resolveJars } from './kafka-jars.ts'
import { findProgram } from './machine.ts'
import type { Availability } from './machine.ts'

/** A record as the foreign client knows it; headers have text values. */
export type ForeignRecord = { readonly key?: string; readonly value: string; readonly headers?: Readonly<Record<string, string>> }

export type ForeignConsumed = ForeignRecord & { readonly partition: number; readonly offset: number }

/** `topic` is the name on the wire. */
export type ForeignTopic = { readonly brokers: readonly string[]; readonly topic: string }

const TIMEOUT_MS = 60_000
// Text that no record of a test has in it.
const BETWEEN = '\u001e'
const END = '\u001d'

/** Which foreign client can be had here, or why there is none. */
export const foreignClient = (): (Availability & { readonly ok: false }) | { readonly ok: true; readonly kind: 'kcat' | 'console' } => {
  if (findProgram('kcat') !== undefined) return { ok: true, kind: 'kcat' }
  const java = javaAvailable()
  return java.ok ? { ok: true, kind: 'console' } : { ok: false, reason: `no kcat, and ${java.reason}` }
}

/** Sends records one after the other and resolves when they are acknowledged. kcat chooses partitions by CRC32, the console by murmur2. */
export const foreignProduce = async ({ brokers, topic }: ForeignTopic, records: readonly ForeignRecord[]): Promise<void> => {
  const client = foreignClient()
  if (!client.ok) throw new Error(client.reason)
  if (client.kind === 'kcat') {
    // One call a record: its headers are given on the command line.
    for (const { key, value, headers = {} } of records) {
      const headerArguments = Object.entries(headers).flatMap(([name, text]) => ['-H', `${name}=${text}`])
      const keyArguments = key === undefined ? [] : ['-k', key]
      await run(
        'kcat',
        ['-P', '-b', brokers.join(','), '-t', topic, '-D', END, '-X', 'acks=all', ...keyArguments, ...headerArguments],
        value,
      )
    }
    return
  }
  const properties = [
    'parse.key=true',
    `key.separator=${BETWEEN}`,
    'parse.headers=true',
    `headers.delimiter=${END}`,
    'null.marker=\u001a',
    'headers.separator=\u001c',
  ]
  const lines = records.map(({ key, value, headers = {} }) => {
    if (value.includes('\n')) throw new Error('The console producer takes one line a record')
    const list = Object.entries(headers).map(([name, text]) => `${name}:${text}`)
    return `${list.length === 0 ? '\u001a' : list.join('\u001c')}${END}${key ?? '\u001a'}${BETWEEN}${value}\n`
  })
  const propertyArguments = properties.flatMap((property) => ['--property', property])
  await runTool(
    'org.apache.kafka.tools.ConsoleProducer',
    ['--bootstrap-server', brokers.join(','), '--topic', topic, '--sync', ...propertyArguments],
    lines.join(''),
  )
}

/** Reads `count` records from the beginning of all partitions; fails when there are fewer within a minute. */
export const foreignConsume = async ({ brokers, topic }: ForeignTopic, count: number): Promise<readonly ForeignConsumed[]> => {
  const client = foreignClient()
  if (!client.ok) throw new Error(client.reason)
  if (client.kind === 'kcat') {
    const format = ['%p', '%o', '%k', '%h', '%s'].join(BETWEEN) + END
    const output = await run('kcat', [
      '-C',
      '-q',
      '-b',
      brokers.join(','),
      '-t',
      topic,
      '-o',
      'beginning',
      '-c',
      String(count),
      '-f',
      format,
    ])
    return output
      .split(END)
      .filter((line) => line !== '')
      .map((line) => consumed(line.split(BETWEEN), { between: ',', mark: '=' }))
  }
  const shown = [
    'print.partition=true',
    'print.offset=true',
    'print.key=true',
    'print.headers=true',
    `key.separator=${BETWEEN}`,
    `line.separator=${END}`,
    'headers.separator=,',
  ]
  const limits = ['--from-beginning', '--max-messages', String(count), '--timeout-ms', String(TIMEOUT_MS)]
  const printing = shown.flatMap((property) => ['--property', property])
  const output = await runTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    '--bootstrap-server',
    brokers.join(','),
    '--topic',
    topic,
    ...limits,
    ...printing,
  ])
  const lines = output.split(END).filter((line) => line.includes(BETWEEN))
  return lines.map((line) => {
    const [partition = '', offset = '', headers = '', key = '', ...value] = line.split(BETWEEN)
    const numbers = [partition, offset].map((text) => text.slice(text.indexOf(':') + 1))
    return consumed([...numbers, key === 'null' ? '' : key, headers === 'NO_HEADERS' ? '' : headers, ...value], { between: ',', mark: ':' })
  })
}

// Header values of the suites have neither comma nor the mark in front of their own.
const consumed = (fields: readonly string[], { between, mark }: { between: string; mark: string }): ForeignConsumed => {
  const [partition = '', offset = '', key = '', headers = '', ...value] = fields
  const pairs =
    headers === ''
      ? []
      : headers.split(between).map((pair) => [pair.slice(0, pair.indexOf(mark)), pair.slice(pair.indexOf(mark) + 1)] as const)
  return { partition: Number(partition), offset: Number(offset), key, headers: Object.fromEntries(pairs), value: value.join(BETWEEN) }
}

const runTool = async (name: string, toolArguments: readonly string[], input = ''): Promise<string> => {
  const classPath = await resolveJars()
  return run('java', ['-Xmx256m', '-cp', classPath, name, ...toolArguments], input)
}

const run = (command: string, commandArguments: readonly string[], input = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
    let output = ''
    let complaints = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}: ${complaints}`))))
    child.stdin.on('error', () => undefined) // It ended before it read everything; its exit code tells.
    child.stdin.end(input)
  })
