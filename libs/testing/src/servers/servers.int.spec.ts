// The servers that other suites stand on: they start, they come back with their data, they end with their parent.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect, it } from '@jest/globals'
import pg from 'pg'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describeWithKafka, describeWithPostgres } from './suite.ts'

const query = async (url: string, text: string): Promise<readonly unknown[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describeWithPostgres('a PostgreSQL of the suite', (postgres) => {
  it('takes connections, writes to disk before it answers, and gives fresh databases', async () => {
    expect(await query(postgres.url, 'show fsync')).toEqual([{ fsync: 'on' }])
    const url = await postgres.freshDatabase()
    expect(await query(url, 'select count(*)::int as n from pg_tables where schemaname = $$public$$')).toEqual([{ n: 0 }])
  })

  it('comes back with its data after a kill', async () => {
    const { server } = postgres
    if (server === undefined) return
    await query(server.url, 'create table kept (n int); insert into kept values (7)')
    const before = server.pid
    await server.kill()
    await server.restart()
    expect(server.pid).not.toBe(before)
    expect(await query(server.url, 'select n from kept')).toEqual([{ n: 7 }])
  }, 60_000)

  it('C1: ends with its parent, also when the parent is killed', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-parent-'))
    const program = `import { startPostgres } from ${JSON.stringify(new URL('./postgres-server.ts', import.meta.url).href)}
      console.log((await startPostgres({ dir: ${JSON.stringify(dir)} })).pid)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [pid = 0] = await new Promise<readonly number[]>((resolve) =>
      createInterface(parent.stdout).once('line', (line) => resolve([Number(line)])),
    )
    expect(alive(pid)).toBe(true)
    parent.kill('SIGKILL')
    const ended = async (triesLeft: number): Promise<boolean> => {
      if (!alive(pid)) return true
      await setTimeout(100)
      return triesLeft > 0 && ended(triesLeft - 1)
    }
    expect(await ended(100)).toBe(true)
    await rm(dir, { recursive: true, force: true })
  }, 60_000)
})

describeWithKafka('a Kafka of the suite', (kafka) => {
  it('serves on loopback and comes back on the same address', async () => {
    const { server } = kafka
    if (server === undefined) return
    const { brokers } = server
    const before = server.pid
    await server.restart()
    expect(server.brokers).toEqual(brokers)
    expect(server.pid).not.toBe(before)
    expect(alive(before)).toBe(false)
  }, 60_000)
})
