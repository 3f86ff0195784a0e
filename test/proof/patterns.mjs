// Every pattern once, on the product as it is installed: one process of `baton up`, flows published over HTTP and on the command line,
// real services, scripted models, and tools that ask this process; where a broker can be had, also work of other teams. Each row says what is expected and what was seen from outside.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { missingServers, startBaton, startServers } from './system.mjs'
import { rows as agents } from './patterns/agents.mjs'
import { rows as beside } from './patterns/beside.mjs'
import { rows as control } from './patterns/control.mjs'
import { rows as failure } from './patterns/failure.mjs'
import { missingClient, openOthers, rows as kafka } from './patterns/kafka.mjs'
import { rows as many } from './patterns/many.mjs'
import { rows as systems } from './patterns/systems.mjs'
import { rows as time } from './patterns/time.mjs'
import { brief, nameIn, openLab } from './patterns/lab.mjs'
import { openWorld } from './patterns/world.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const LAB = join(import.meta.dirname, 'patterns')
const AT_ONCE = 6
const WIDTH = 200
const WIDTH_OF_FAILURE = 4_000
const say = (text) => process.stdout.write(`${text}\n`)

const CHAIN = {
  pattern: 'chain',
  published: 'lab/chain',
  input: { v: 4 },
  expected: { status: 'completed', output: { v: 7, was: [5, 6] } },
}

/** The folders of the installation; inside this repository, because tools import its packages. */
const makeHome = () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  const home = mkdtempSync(join(ROOT, '.cache', 'patterns-'))
  cpSync(join(LAB, 'lab'), join(home, 'flows', 'lab'), { recursive: true })
  for (const { folder } of systems) cpSync(join(ROOT, folder), join(home, 'flows', basename(folder)), { recursive: true })
  mkdirSync(join(home, 'config'))
  writeFileSync(join(home, 'config', 'models.yaml'), readFileSync(join(LAB, 'models.yaml')))
  return home
}

const play = async (lab, { folder, flow, flows = [], published, input, seen }) => {
  if (folder !== undefined) await lab.cli('flows', 'publish', folder, '--replace')
  for (const text of [...flows, ...(flow === undefined ? [] : [flow])]) await lab.publish(text)
  const name = published ?? nameIn(flow)
  return seen === undefined ? brief(await lab.run(name, input)) : seen({ lab, name })
}

const short = (value, width) => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= width ? text : `${text.slice(0, width)}…`
}

const judge = async (lab, row) => {
  const begunMs = performance.now()
  const seen = await play(lab, row).catch((error) => ({ error: error.message }))
  const ok = isDeepStrictEqual(seen, row.expected)
  const width = ok ? WIDTH : WIDTH_OF_FAILURE
  say(
    `| ${ok ? 'PASS' : '**FAIL**'} | ${row.pattern} | ${short(row.expected, width)} | ${short(seen, width)} | ${((performance.now() - begunMs) / 1_000).toFixed(1)} s |`,
  )
  return ok
}

const playAll = async (lab, rows) => {
  const left = [...rows]
  let failed = 0
  const next = async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) if (!(await judge(lab, row))) failed += 1
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
  return failed
}

const embedded = async (rows, { home, world, env, quiet }) => {
  const system = await startBaton(['--data', join(home, 'data'), '--port', '0'], { env, quiet })
  try {
    return await playAll(openLab({ url: system.urls.gateway, world }), rows)
  } finally {
    await system.kill('SIGTERM')
  }
}

const onKafka = async (rows, { world, env, quiet }) => {
  const servers = await startServers()
  const { brokers } = servers.kafka
  let others, system
  try {
    system = await startBaton(['--port', '0'], {
      env: { ...env, KAFKA_BROKERS: brokers.join(','), DATABASE_URL: servers.postgres.url },
      quiet,
    })
    others = await openOthers(brokers)
    return await playAll({ ...openLab({ url: system.urls.gateway, world }), brokers }, rows)
  } finally {
    await others?.close()
    await system?.kill('SIGTERM')
    await servers.stop()
  }
}

export const main = async (args) => {
  const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length)
  const wanted = (rows) => rows.filter(({ pattern }) => only === undefined || pattern.includes(only))
  const home = makeHome()
  const world = await openWorld()
  const env = {
    PATTERNS_WORLD_URL: world.url,
    BATON_FLOWS_DIR: join(home, 'flows'),
    BATON_CONFIG_DIR: join(home, 'config'),
    BATON_EVENTS_PARTITIONS: '3',
  }
  const surroundings = { home, world, env, quiet: !args.includes('--verbose') }
  const inside = wanted([CHAIN, ...many, ...time, ...failure, ...control, ...beside, ...agents, ...systems])
  const outside = wanted(kafka)
  const missing = missingServers() ?? missingClient()
  try {
    say('| | pattern | expected | seen | took |\n| --- | --- | --- | --- | --- |')
    let failed = inside.length === 0 ? 0 : await embedded(inside, surroundings)
    if (missing === undefined && outside.length > 0) failed += await onKafka(outside, surroundings)
    else for (const { pattern } of outside) say(`| SKIP | ${pattern} | | ${missing} | |`)
    const skipped = missing === undefined ? 0 : outside.length
    say(`\n${inside.length + outside.length - skipped - failed} passed, ${failed} failed, ${skipped} skipped`)
    return failed > 0 || (skipped > 0 && process.env.CI === 'true') ? 1 : 0
  } finally {
    world.close()
    rmSync(home, { recursive: true, force: true })
  }
}
