// The folders of the installation that the proof runs: flows, tools, models; and the process over them.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { startBaton } from '../../test/proof/system.mjs'
import { openLab } from '../../test/proof/patterns/lab.mjs'

/** A folder inside this repository, because tools import its packages. */
export const openHome = (root, prefix = 'gates-') => {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache', prefix))
  const models = {}
  const routes = {}
  const servers = {}
  return {
    folder,
    flows: join(folder, 'flows'),
    /** A flow of the repository, as it is. */
    flow: (path) => cpSync(join(root, path), join(folder, 'flows', basename(path)), { recursive: true }),
    file: (path, text) => {
      mkdirSync(dirname(join(folder, 'flows', path)), { recursive: true })
      writeFileSync(join(folder, 'flows', path), text)
    },
    model: (name, spec) => Object.assign(models, { [name]: spec }),
    route: (name, list) => Object.assign(routes, { [name]: list }),
    server: (name, spec) => Object.assign(servers, { [name]: spec }),
    /** A further file of the configuration. */
    config: (name, text) => {
      mkdirSync(join(folder, 'config'), { recursive: true })
      writeFileSync(join(folder, 'config', name), text)
    },
    writeConfig: () => {
      mkdirSync(join(folder, 'config'), { recursive: true })
      mkdirSync(join(folder, 'flows'), { recursive: true })
      writeFileSync(join(folder, 'config', 'models.yaml'), JSON.stringify({ servers, models, routes }))
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const atOnce = async (items, count, work) => {
  const left = [...items.entries()]
  const results = Array.from({ length: items.length })
  const next = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) results[one[0]] = await work(one[1], one[0])
  }
  await Promise.all(Array.from({ length: count }, next))
  return results
}

const providerOf = (upstream) => (upstream === undefined ? {} : { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-loopback-000000' })

/** `baton up` over the home, and what parts do with it. Started again over the same home it goes on with what is there. */
export const startSystem = async ({ home, upstream, quiet, env = {} }) => {
  for (const name of upstream?.names() ?? []) home.model(name, { provider: 'openai', model: name, price: { input: 0.15, output: 0.6 } })
  home.writeConfig()
  const system = await startBaton(['--data', join(home.folder, 'data'), '--port', '0'], {
    env: {
      ...providerOf(upstream),
      BATON_FLOWS_DIR: home.flows,
      BATON_CONFIG_DIR: join(home.folder, 'config'),
      BATON_EVENTS_PARTITIONS: '3',
      ...env,
    },
    quiet,
  })
  const lab = openLab({ url: system.urls.gateway, world: undefined })
  const waitsForPerson = ({ waitingFor }) => typeof waitingFor === 'string' && waitingFor.startsWith('a person')
  const settled = (runId) =>
    lab.until(
      `${runId} to end or to wait for a person`,
      async () => {
        const run = await lab.show(runId)
        return ['completed', 'failed', 'cancelled'].includes(run.status) || waitsForPerson(run) ? run : undefined
      },
      { timeoutMs: 120_000, everyMs: 100 },
    )
  const failures = new Map()
  return {
    url: system.urls.gateway,
    lab: {
      /** Runs that failed, by the code of the fault. */
      failures,
      ...lab,
      atOnce,
      settled,
      /** Starts a run an input and gives what each came to: its result, or that it waits for a person. */
      runAll: async (flow, inputs, { params, many = 8 } = {}) => {
        if (params !== undefined)
          await lab.good('PUT', `/v1/params/${flow}`, { values: params, by: 'ada', reason: 'chosen on another split' })
        return atOnce(inputs, many, async (input) => {
          const { runId } = await lab.good('POST', '/v1/runs', { flow, input })
          const run = await settled(runId)
          if (run.status === 'failed') failures.set(run.fault?.code, (failures.get(run.fault?.code) ?? 0) + 1)
          return { runId, ...run }
        })
      },
      /** Decides the task of a run in its queue, as somebody would who may only approve, edit or reject. */
      edit: async (queue, runId, output) => {
        const task = await lab.until(`the task of ${runId} in ${queue}`, async () =>
          (await lab.good('GET', `/v1/reviews?queue=${queue}`)).items.find((item) => item.runId === runId),
        )
        await lab.good('POST', `/v1/reviews/${task.taskId}:decide`, { by: 'ada', verdict: 'edit', output })
      },
      /** All open tasks of a queue. */
      tasks: async (queue) => {
        const items = []
        for (let cursor = ''; ;) {
          const page = await lab.good(
            'GET',
            `/v1/reviews?queue=${queue}&limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
          )
          items.push(...page.items)
          cursor = page.next ?? ''
          if (cursor === '' || page.items.length === 0) return items
        }
      },
      /** What gates and switches of a run chose, in order; a stream may show an event twice. */
      decided: async (runId) => {
        const events = (await lab.journal(runId)).filter(({ type }) => type.includes('decided'))
        const bySeq = new Map(events.map(({ data }) => [data.seq, { path: data.path, chosen: data.chosen }]))
        return [...bySeq].toSorted(([left], [right]) => left - right).map(([, one]) => one)
      },
    },
    stop: (signal = 'SIGTERM') => system.kill(signal),
  }
}
