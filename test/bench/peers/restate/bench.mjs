// Five journaled steps of `v + 1` in Restate: its server, and a service in this process. Usage: node bench.mjs (see ../serve.mjs).
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as restate from '@restatedev/restate-sdk'
import { serve } from './serve.mjs'

const BINARY = join(import.meta.dirname, 'node_modules', '@restatedev', `restate-server-linux-${process.arch}`, 'bin', 'restate-server')

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const flow = restate.service({
  name: 'flow',
  handlers: {
    run: async (context, { n }) => {
      let v = n
      for (let k = 1; k <= 5; k += 1) v = await context.run(`s${k}`, async () => v + 1)
      return v
    },
  },
})

const [ingress, admin, node, service] = [await freePort(), await freePort(), await freePort(), await freePort()]
const dir = mkdtempSync(join(tmpdir(), 'restate-'))
const server = spawn(
  BINARY,
  ['--no-logo', '--listen-mode', 'tcp', '--bind-ip', '127.0.0.1', '--bind-port', String(node), '--base-dir', dir, '--node-name', 'n1'],
  { env: { ...process.env, RESTATE_INGRESS__BIND_PORT: String(ingress), RESTATE_ADMIN__BIND_PORT: String(admin) }, stdio: 'ignore' },
)
const end = () => {
  server.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
  process.exit(0)
}
process.on('SIGTERM', end)
restate.serve({ services: [flow], port: service })

const register = () =>
  fetch(`http://127.0.0.1:${admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
  })
for (let tries = 0; !(await register().catch(() => ({ ok: false }))).ok; tries += 1) {
  if (tries > 120) throw new Error('the server does not answer')
  await pause(500)
}

await serve(async (n) => {
  const reply = await fetch(`http://127.0.0.1:${ingress}/flow/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ n }),
  })
  return reply.json()
})
end()
