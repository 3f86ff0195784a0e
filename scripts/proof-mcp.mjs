// `npm run proof:mcp`: MCP servers as they are (C2, C4, C13). Builds, then calls the four official servers and our own over the transports
// that they have, ends every process in the middle of a question, changes tools, and lets servers do what they should not.
//   --quick      without the slow calls of the official servers
//   --only=PART  official, own, misbehaving, restart
//   --no-build   on the build that is there
// Not measured: servers of other vendors, OAuth against a real identity provider (the suites have a small one).
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const words = process.argv.slice(2)
if (!words.includes('--no-build')) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

const rows = []
const PARTS = {
  official: () => import('./proof-mcp/official.mjs'),
  own: () => import('./proof-mcp/own.mjs'),
  misbehaving: () => import('./proof-mcp/misbehaving.mjs'),
  restart: () => import('./proof-mcp/restart.mjs'),
}
const only = words.filter((word) => word.startsWith('--only=')).map((word) => word.slice('--only='.length))
for (const [name, load] of Object.entries(PARTS)) {
  if (only.length > 0 && !only.includes(name)) continue
  const { run } = await load()
  const check = (what, must, seen, ok) => {
    const told = String(seen).replaceAll(/\s+/g, ' ')
    rows.push([what, String(must), told.slice(0, 90), ok ? 'PASS' : 'FAIL'])
    process.stderr.write(`${ok ? 'PASS' : 'FAIL'}  ${what}: ${told.slice(0, 200)}\n`)
  }
  try {
    await run(check, { quick: words.includes('--quick') })
  } catch (error) {
    check(`${name}: runs to its end`, 'yes', error?.fault?.message ?? error?.message ?? error, false)
    if (process.env.BATON_DEBUG) console.error(error)
  }
}

const table = [['what', 'must', 'seen', ''], ...rows]
const widths = table[0].map((_, at) => Math.max(...table.map((row) => row[at].length)))
console.log(
  table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n'),
)
const failed = rows.filter(([, , , verdict]) => verdict === 'FAIL').length
console.log(`${rows.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
