// Baton as separate processes on a real broker and a real database, used from outside by a client that is not ours.
import { foreignClient, foreignConsume, foreignProduce } from '@baton/testing/servers'
import { createChecks } from './checks.mjs'
import { getJson, missingServers, startBaton, startServers, until } from './system.mjs'

const SERVICES = ['tracing', 'hitl', 'validation', 'tools', 'models', 'routing', 'gateway']
const QUESTIONS = [
  { id: 'outside-1', text: 'Where is my new card?', about: 'card' },
  { id: 'outside-2', text: 'I want my money back', about: 'refund' },
  { id: 'outside-3', text: 'What are your opening hours?', about: 'other' },
]

/** One process a service; each finds the others by the ports it printed. */
const startServices = async (env) => {
  const processes = {}
  for (const name of SERVICES) {
    const urls = Object.fromEntries(
      Object.entries(processes).map(([other, { urls: found }]) => [`BATON_${other.toUpperCase()}_URL`, found[other]]),
    )
    processes[name] = await startBaton(['--only', name], { env: { ...env, ...urls } })
  }
  return processes
}

const headersOf = (record) => Object.fromEntries(Object.entries(record.headers ?? {}))

export const main = async () => {
  const missing = missingServers() ?? (foreignClient().ok ? undefined : foreignClient().reason)
  if (missing !== undefined) {
    process.stdout.write(`SKIP ${missing}\n`)
    return process.env.CI === 'true' ? 1 : 0
  }
  const { check, end } = createChecks()
  const servers = await startServers()
  const { kafka, postgres } = servers
  let processes = {}
  try {
    processes = await startServices({ KAFKA_BROKERS: kafka.brokers.join(','), DATABASE_URL: postgres.url })
    const gateway = processes.gateway.urls.gateway
    for (const [name, { urls }] of Object.entries(processes)) {
      const [health, ready, metrics] = await Promise.all(['healthz', 'readyz', 'metrics'].map((path) => fetch(`${urls[name]}/${path}`)))
      check(
        `${name} is a process of its own with /healthz, /readyz, /metrics`,
        health.ok && ready.ok && metrics.ok && (await metrics.text()).includes('# TYPE'),
        urls[name],
      )
    }

    const { kind } = foreignClient()
    const requests = QUESTIONS.map(({ id, text }) => ({ key: id, value: JSON.stringify({ id, flow: 'hello/desk', input: { text } }) }))
    await foreignProduce({ brokers: kafka.brokers, topic: 'baton.requests' }, requests)
    const results = await foreignConsume({ brokers: kafka.brokers, topic: 'baton.results' }, QUESTIONS.length)
    for (const { id, about } of QUESTIONS) {
      const found = results.find((record) => headersOf(record).ce_correlationid === id)
      const value = found === undefined ? undefined : JSON.parse(found.value)
      check(
        `${kind}: plain JSON in, result event out with the correlation id ${id}`,
        value?.status === 'completed' && value.output.about === about && headersOf(found).ce_type === 'baton.run.completed.v1',
        found?.value.slice(0, 120),
      )
    }

    await foreignProduce({ brokers: kafka.brokers, topic: 'baton.requests' }, [
      { key: 'bad-1', value: '{"id":"bad-1","flow":' },
      { key: 'bad-2', value: JSON.stringify({ id: 'bad-2', flow: 'no/such', input: {} }) },
      { key: 'bad-3', value: JSON.stringify({ id: 'bad-3', flow: 'hello/desk', input: { text: 7 } }) },
      { key: 'again', value: JSON.stringify({ id: 'outside-4', flow: 'hello/desk', input: { text: 'Where is my card?' } }) },
    ])
    const all = await foreignConsume({ brokers: kafka.brokers, topic: 'baton.results' }, QUESTIONS.length + 4)
    const rejected = all.filter((record) => headersOf(record).ce_type === 'baton.run.rejected.v1').map((record) => JSON.parse(record.value))
    check(
      'broken JSON, unknown flow and misfit input are rejected with field and reason',
      rejected.length === 3,
      rejected.map(({ fault }) => fault.code).join(', '),
    )
    check(
      'the partition is not blocked by them',
      all.some((record) => headersOf(record).ce_correlationid === 'outside-4'),
    )
    const letters = await until('dead letters', async () => {
      const { items } = await getJson(`${gateway}/v1/dead-letters?service=gateway`)
      return items.length >= 3 ? items : undefined
    })
    check('the bytes of what was rejected are in the dead letters', letters.length === 3, letters.map((letter) => letter.code).join(', '))

    const stats = await until('statistics', async () => {
      const { items } = await getJson(`${gateway}/v1/stats?flow=hello/desk`)
      return items[0]?.completed >= 4 ? items[0] : undefined
    })
    check('tracing counted the runs', stats.completed === 4, JSON.stringify(stats))

    const exits = await Promise.all(Object.values(processes).map((process_) => process_.kill('SIGTERM')))
    check(
      'every process drains on SIGTERM and ends with 0',
      exits.every(({ code }) => code === 0),
      exits.map(({ code, signal }) => code ?? signal).join(' '),
    )
    processes = {}
  } finally {
    for (const process_ of Object.values(processes)) process_.child.kill('SIGKILL')
    await servers.stop()
  }
  return end()
}
