import { spawnSync } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts'
import { inSandbox, runProgram, type ProcessLimits } from './sandbox-process.adapter.ts'

const limits: ProcessLimits = { timeoutMs: 5_000, memoryMbMax: 64, outputCharsMax: 10_000, logCharsMax: 100 }
const signal = new AbortController().signal
const run = (code: string, input: Json = null, less: Partial<ProcessLimits> = {}) =>
  runProgram({ code, input }, { limits: { ...limits, ...less }, signal })

/** Elsewhere no program is run, and there is nothing to see. */
const where = spawnSync('unshare', ['--user', '--net', 'true']).status === 0 ? describe : describe.skip

where('a program in a process of its own (C13)', () => {
  it('computes over its input, waits for what it promises, and tells its mistakes', async () => {
    expect(await run('console.log("n", input.n); input.n.map((x) => x * 2)', { n: [1, 2] })).toEqual({
      ok: true,
      result: [2, 4],
      error: null,
      logs: ['n [1,2]'],
    })
    expect(await run('(async () => { await null; return input + 1 })()', 41)).toMatchObject({ ok: true, result: 42 })
    expect(await run('syntax error')).toMatchObject({ ok: false, error: expect.stringContaining('SyntaxError') })
    expect(await run('throw new RangeError("too far")')).toMatchObject({ ok: false, error: 'RangeError: too far' })
  })

  it('W4: has nothing of Node, and does not get there by the ways that are known', async () => {
    const names = ['process', 'require', 'fetch', 'setTimeout', 'Buffer', 'WebSocket', 'module']
    expect(await run(`[${names.map((name) => `typeof ${name}`).join()}]`)).toMatchObject({ result: names.map(() => 'undefined') })
    for (const way of [
      'this.constructor.constructor("return process")()',
      'console.log.constructor("return process")()',
      'Object.getPrototypeOf(async () => 1).constructor("return process")()',
      'import("node:fs")',
    ])
      expect(await run(way)).toMatchObject({ ok: false })
  })

  it('W3: is ended by time, memory and output, and says so', async () => {
    expect(await run('for (;;) {}', null, { timeoutMs: 1_500 })).toMatchObject({ ok: false, error: 'took longer than 1500 ms' })
    expect(await run('new Promise(() => 1)', null, { timeoutMs: 3_000 })).toMatchObject({ ok: false })
    expect(await run('const a = []; for (;;) a.push(new Array(1000).fill(1.5))')).toMatchObject({
      ok: false,
      error: 'needs more than 64 MB',
    })
    expect(await run('const a = []; for (;;) a.push(new Uint8Array(32e6).fill(1))')).toMatchObject({ ok: false })
    expect(await run('"x".repeat(50_000)')).toMatchObject({ ok: false, error: 'gave more than 10000 characters' })
    expect(await run('for (let n = 0; n < 1e5; n++) console.log("line", n); 1')).toMatchObject({ ok: true, result: 1 })
    expect(await run('1 + 1')).toMatchObject({ ok: true, result: 2 })
  }, 60_000)

  it('stops with the signal of its call', async () => {
    const stop = new AbortController()
    const running = runProgram({ code: 'for (;;) {}', input: null }, { limits, signal: stop.signal })
    stop.abort()
    await expect(running).rejects.toMatchObject({ code: 'tool.failed' })
  })
})

where('what gets out of its realm', () => {
  let server: Server
  let port = 0
  let visits = 0
  beforeAll(async () => {
    server = createServer((socket) => {
      visits += 1
      socket.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  /** A script with all of Node, as if the realm had been left. */
  const outside = async (script: string): Promise<string> => (await inSandbox(script, { given: '', limits, signal })).out.trim()

  it('W1: reaches no network: neither the world nor this machine', async () => {
    const reach = (host: string, at: number): string =>
      `require('node:net').connect(${at}, '${host}').on('connect', () => console.log('reached')).on('error', (error) => console.log(error.code))`
    expect(await outside(reach('127.0.0.1', port))).toBe('ENETUNREACH')
    expect(await outside(reach('1.1.1.1', 80))).toBe('ENETUNREACH')
    expect(await outside('fetch("http://example.com").then(() => console.log("reached"), () => console.log("not reached"))')).toBe(
      'not reached',
    )
    expect(visits).toBe(0)
  })

  it('W2: reads and writes no file, starts no process or thread, and sees no variable of ours', async () => {
    process.env['SANDBOX_SECRET'] = 'hush'
    const denied = (work: string): string => `try { ${work}; console.log('done') } catch (error) { console.log(error.code) }`
    for (const work of [
      `require('node:fs').readFileSync('/etc/hostname')`,
      `require('node:fs').writeFileSync('/tmp/baton-sandbox', 'x')`,
      `require('node:child_process').spawnSync('/bin/true')`,
      `new (require('node:worker_threads').Worker)('1', { eval: true })`,
    ])
      expect(await outside(denied(work))).toBe('ERR_ACCESS_DENIED')
    const seen = (await outside('console.log(Object.keys(process.env).join())')).split(',')
    expect(seen.filter((name) => !['PATH', 'PWD', 'SHLVL', '_'].includes(name))).toEqual([]) // what the shell sets by itself
  })
})
