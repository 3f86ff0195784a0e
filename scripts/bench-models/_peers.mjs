// Gateways of others in the same sitting: their whole CPU a request, asked over HTTP for the same answer of the same rig. Linux only.
//   BATON_PORTKEY: folder with node_modules/@portkey-ai/gateway. BATON_LITELLM: folder of a Python environment with `litellm[proxy]`.
// Both are installed outside of this project. They run as one process each, without a database, with nothing of theirs switched on.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const TICK_MS = 10

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const statOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
/** CPU that a process and those it started used so far, in milliseconds. */
const cpuOf = (pid) => {
  const mine = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return Number(name) === pid || Number(statOf(name)[1]) === pid
    } catch {
      return false // it ended meanwhile
    }
  })
  return mine.reduce((sum, one) => {
    const fields = statOf(one)
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MS
  }, 0)
}

const answered = async (call, child) => {
  for (let tries = 0; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (tries > 1_200 || child.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** CPU a request of a gateway that is started for it. `closed`: makes calls, so many at once. */
const measured = async (child, { url, headers, body, text }, { calls, closed }) => {
  child.on('error', () => undefined)
  const call = async () => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
    if (response.status !== 200) throw new Error(`${response.status} ${(await response.text()).slice(0, 200)}`)
    const answer = await response.json()
    if (answer.choices[0].message.content !== text) throw new Error('another answer')
  }
  try {
    await answered(call, child)
    await closed(call, { calls: Math.min(calls, 500), atOnce: 32 })
    const before = cpuOf(child.pid)
    const { perSecond } = await closed(call, { calls, atOnce: 32 })
    return { cpuMs: (cpuOf(child.pid) - before) / calls, perSecond }
  } finally {
    child.kill('SIGKILL')
  }
}

/** Where Portkey is installed. */
export const portkeyHome = (shared) =>
  [process.env.BATON_PORTKEY, ...(shared === undefined ? [] : [join(shared, 'peers', 'portkey')])].find(
    (dir) => dir !== undefined && existsSync(join(dir, 'node_modules', '@portkey-ai', 'gateway', 'package.json')),
  )

export const measurePortkey = async (home, { rig, body, text, ...rest }) => {
  const { version, bin } = JSON.parse(readFileSync(join(home, 'node_modules', '@portkey-ai', 'gateway', 'package.json'), 'utf8'))
  const entry = typeof bin === 'string' ? bin : Object.values(bin ?? {})[0]
  const port = await freePort()
  const child = spawn(process.execPath, [join(home, 'node_modules', '@portkey-ai', 'gateway', entry), `--port=${port}`, '--headless'], {
    stdio: 'ignore',
  })
  const headers = { authorization: 'Bearer x', 'x-portkey-provider': 'openai', 'x-portkey-custom-host': rig.openAiUrl }
  const url = `http://127.0.0.1:${port}/v1/chat/completions`
  return { version, ...(await measured(child, { url, headers, body, text }, rest)) }
}

/** Where LiteLLM is installed. */
export const liteLlmHome = () => {
  const home = process.env.BATON_LITELLM
  return home !== undefined && existsSync(join(home, 'bin', 'litellm')) ? home : undefined
}

export const measureLiteLlm = async (home, { rig, model, dir, body, text, ...rest }) => {
  const asked = 'import importlib.metadata as m; print(m.version("litellm"))'
  const version = spawnSync(join(home, 'bin', 'python'), ['-c', asked], { encoding: 'utf8' }).stdout.trim()
  const config = join(dir, 'litellm.yaml')
  writeFileSync(
    config,
    `model_list:
  - { model_name: ${model}, litellm_params: { model: openai/${model}, api_base: '${rig.openAiUrl}', api_key: x } }
`,
  )
  const port = await freePort()
  const key = `sk-${randomUUID()}` // it does not start without one
  const child = spawn(
    join(home, 'bin', 'litellm'),
    ['--config', config, '--port', String(port), '--host', '127.0.0.1', '--num_workers', '1'],
    {
      stdio: 'ignore',
      cwd: dir,
      env: {
        ...process.env,
        LITELLM_LOG: 'ERROR',
        LITELLM_TELEMETRY: 'False',
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_MASTER_KEY: key,
      },
    },
  )
  const url = `http://127.0.0.1:${port}/v1/chat/completions`
  return { version, ...(await measured(child, { url, headers: { authorization: `Bearer ${key}` }, body, text }, rest)) }
}
