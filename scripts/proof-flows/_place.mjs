// One flow of the repository in an installation of its own: its folder as it is, models behind HTTP, one process of `baton up`; and rows of
// what was expected and what was seen from outside.
import { isDeepStrictEqual } from 'node:util'
import { openHome, startSystem } from '../proof-gates/home.mjs'
import { openUpstream } from '../proof-gates/upstream.mjs'

const WIDTH = 160
const cut = (text) => (text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}…`)
const shown = (value) => cut(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'))

/** A row that compares; `must` may be a function that says whether it is so, told in words by `words`. */
export const row = (what, must, seen, words = shown(must)) => ({
  what,
  must: words,
  seen: shown(seen),
  ok: typeof must === 'function' ? must(seen) === true : isDeepStrictEqual(seen, must),
})

/**
 * Opens the installation, does the work and takes it away. `serve` are models by route: each route of the flow is a model of that name.
 * `specs` are models of other providers by route.
 */
export const inPlace = async ({ root, quiet = true }, { flows, serve = {}, specs = {}, config = {}, env = {}, prepare }, work) => {
  const upstream = await openUpstream()
  const home = openHome(root)
  let system
  const start = async () => {
    system = await startSystem({ home, upstream, quiet, env: typeof env === 'function' ? env(home) : env })
    return { ...system, home, upstream }
  }
  try {
    for (const flow of flows) home.flow(flow)
    upstream.serve(Object.fromEntries(Object.entries(serve).map(([route, model]) => [`${route}-1`, model])))
    for (const route of Object.keys(serve)) home.route(route, [`${route}-1`])
    for (const [route, spec] of Object.entries(specs)) {
      home.model(`${route}-1`, spec)
      home.route(route, [`${route}-1`])
    }
    for (const [name, text] of Object.entries(config)) home.config(name, text)
    await prepare?.({ home })
    await start()
    return await work({
      home,
      upstream,
      get lab() {
        return system.lab
      },
      get url() {
        return system.url
      },
      /** Ends the process by its signal and starts another over the same data. */
      again: async (signal = 'SIGKILL') => {
        await system.stop(signal)
        await start()
      },
    })
  } finally {
    await system?.stop()
    await upstream.close()
    home.remove()
  }
}
