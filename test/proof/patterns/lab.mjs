// What the rows do with Baton: only what anybody could, over HTTP and the command line.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { until } from '../system.mjs'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const BATON = join(ROOT, 'cli', 'bin', 'baton.mjs')
const WAIT = '120s'

/** The name of a flow in its text. */
export const nameIn = (flow) => /^flow: (\S+)@/m.exec(flow)?.[1]

export const openLab = ({ url, world }) => {
  const http = async (method, path, body) => {
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: reply.status, body: await reply.json() }
  }
  const good = async (...request) => {
    const { status, body } = await http(...request)
    if (status >= 300) throw new Error(`${request[0]} ${request[1]}: ${body.code ?? status} ${JSON.stringify(body.detail ?? body)}`)
    return body
  }
  const show = (runId) => good('GET', `/v1/runs/${runId}`)
  const lab = {
    world,
    http,
    good,
    show,
    publish: (flow) => good('PUT', `/v1/flows/${nameIn(flow)}`, { files: { 'flow.yaml': flow } }),
    /** The result of a run. */
    run: (flow, input = {}) => good('POST', `/v1/runs?wait=${WAIT}`, { flow, input }),
    start: async (flow, input = {}) => (await good('POST', '/v1/runs', { flow, input })).runId,
    reaches: (runId, ...statuses) =>
      until(`${runId} to be ${statuses.join(' or ')}`, async () => {
        const run = await show(runId)
        return statuses.includes(run.status) ? run : undefined
      }),
    /** What the run came to, once it has ended. */
    ended: async (runId) => (await lab.reaches(runId, 'completed', 'failed', 'cancelled')).result,
    act: (runId, action, body = {}) => good('POST', `/v1/runs/${runId}:${action}`, { by: 'ada', ...body }),
    send: (runId, event, data = null) => good('POST', `/v1/runs/${runId}/events`, { event, data, by: 'bank' }),
    /** What the journal says of an ended run, as the stream of its events. */
    journal: async (runId) => {
      const stream = await (await fetch(`${url}/v1/runs/${runId}/events`)).text()
      return [...stream.matchAll(/^event: (.+)\ndata: (.+)$/gm)].map(([, type, data]) => ({ type, data: JSON.parse(data) }))
    },
    trace: (runId) => good('GET', `/v1/runs/${runId}/trace`),
    children: async (runId) => (await good('GET', `/v1/runs?parent=${runId}`)).items,
    /** Answers the person's task of a run. */
    decide: async (queue, runId, output) => {
      const task = await until(`the task of ${runId} in ${queue}`, async () =>
        (await good('GET', `/v1/reviews?queue=${queue}`)).items.find((item) => item.runId === runId),
      )
      await good('POST', `/v1/reviews/${task.taskId}:decide`, { by: 'ada', verdict: 'respond', output })
      return task
    },
    cli: async (...args) => {
      const child = spawn(process.execPath, [BATON, ...args], { cwd: ROOT, env: { ...process.env, BATON_URL: url } })
      const [out, err, code] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise((resolve) => child.on('close', resolve)),
      ])
      if (code !== 0) throw new Error(`baton ${args.join(' ')} ended with ${code}: ${err || out}`)
      return out
    },
    until,
  }
  return lab
}

/** A run in short: how it ended, what it gave or on what it failed, and what was made good. */
export const brief = ({ status = 'not ended', output, fault, degraded }) => ({
  status,
  ...(status === 'completed' ? { output } : { fault: fault?.code }),
  ...(degraded === undefined || degraded.length === 0 ? {} : { degraded }),
})
