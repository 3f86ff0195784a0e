// `baton up` as a process of its own, from the build, to be ended the hard way.
import { join } from 'node:path'
import { startChild, type Child } from '../../libs/testing/src/servers/child-process.ts'
import type { Home } from './system.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const READY_MS = 60_000

export type BatonProcess = Child & {
  /** Where its gateway listens. */
  readonly url: string
}

/** Starts it on the folders of a system; resolves when it is ready. It ends with this process. */
export const startBaton = async (
  { dataDir, flowsDir, configDir }: Home,
  env: Readonly<Record<string, string>> = {},
): Promise<BatonProcess> => {
  const variables = { BATON_FLOWS_DIR: flowsDir, BATON_CONFIG_DIR: configDir, BATON_EVENTS_PARTITIONS: '3', LOG_LEVEL: 'error', ...env }
  const child = await startChild({
    command: '/usr/bin/env',
    args: [
      ...['KAFKA_BROKERS', 'DATABASE_URL', 'NODE_OPTIONS'].flatMap((name) => ['-u', name]),
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      process.execPath,
      join(ROOT, 'cli', 'bin', 'baton.mjs'),
      'up',
      '--data',
      dataDir,
      '--port',
      '0',
    ],
    cwd: ROOT,
    stopSignal: 'TERM',
  })
  await child.printed(/^ready$/m, READY_MS)
  const url = /^gateway listens on (\S+)$/m.exec(child.output())?.[1]
  if (url === undefined) throw new Error(`no address of the gateway in:\n${child.output()}`)
  return { ...child, url }
}
