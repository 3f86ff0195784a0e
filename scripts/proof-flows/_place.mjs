// One flow of the repository in an installation of its own: its folder as it is, a model behind HTTP for each of its routes.
import { row as same } from './_kit.mjs'

/** A row; `must` may be a function that says whether it is so, with `words` that say what it wants. */
export const row = (what, must, seen, words) =>
  typeof must === 'function' ? { ...same(what, words, seen), must: words, ok: must(seen) === true } : same(what, must, seen)

/**
 * Opens it. `serve` are models by route: each is a function from what it was asked to an answer. `specs` are models of other providers by
 * route, `config` further files of the configuration.
 */
export const openPlace = async (kit, { flows, serve = {}, specs = {}, config = {}, env = {} }) => {
  const upstream = await kit.upstream()
  const home = kit.home()
  for (const flow of flows) home.flow(flow)
  upstream.serve(Object.fromEntries(Object.entries(serve).map(([route, model]) => [`${route}-1`, model])))
  for (const route of Object.keys(serve)) home.route(route, [`${route}-1`])
  for (const [route, spec] of Object.entries(specs)) {
    home.model(`${route}-1`, spec)
    home.route(route, [`${route}-1`])
  }
  for (const [name, text] of Object.entries(config)) home.config(name, text)
  const start = () => kit.start(home, { upstream, env })
  let system = await start()
  return {
    home,
    upstream,
    get lab() {
      return system.lab
    },
    get url() {
      return system.url
    },
    /** What the model of a route was asked, oldest first: whole requests, as the provider got them. */
    requests: (route) => upstream.requests(`${route}-1`),
    /** Ends the process by a signal and starts another one over the same data. */
    again: async (signal = 'SIGKILL') => {
      await system.stop(signal)
      system = await start()
    },
  }
}
