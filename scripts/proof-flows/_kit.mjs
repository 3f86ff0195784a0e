// What the parts of `proof:flows` do with: folders of an installation, `baton up` over them, providers that answer over HTTP, rows.
//   K1. What a part opened is closed when it is over, however it ended: processes, servers, folders.
import { isDeepStrictEqual } from 'node:util'
import { openHome, startSystem } from '../proof-gates/home.mjs'
import { openUpstream } from '../proof-gates/upstream.mjs'

const SEEN_CHARS = 400
const shown = (value) => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return (text.length <= SEEN_CHARS ? text : `${text.slice(0, SEEN_CHARS)}…`).replaceAll('|', '\\|').replaceAll('\n', ' ')
}

/** A row that holds when both are the same. */
export const row = (what, must, seen) => ({ what, must: shown(must), seen: shown(seen), ok: isDeepStrictEqual(seen, must) })

export const openKit = ({ root, say, quick, quiet }) => {
  const closing = []
  const kit = {
    root,
    say,
    quick,
    row,
    /** Closes this too when the part is over; the last first. */
    onClose: (close) => closing.push(close),
    /** Folders of an installation: `flow('flows/s04-images')`, `file(path, text)` below the flows, `config(name, text)`, `model`, `route`. */
    home: () => {
      const home = openHome(root, 'flows-')
      kit.onClose(() => home.remove())
      return home
    },
    /** A provider over HTTP: `serve({ name: (asked) => answer })`; its models are in the catalogue of each system started with it. */
    upstream: async () => {
      const upstream = await openUpstream()
      kit.onClose(() => upstream.close())
      return upstream
    },
    /** `baton up` over a home: `lab` is what a product, a person and an operator do with it; `stop('SIGKILL')` is kill -9. */
    start: async (home, { upstream, env } = {}) => {
      const system = await startSystem({ home, upstream, env, quiet })
      kit.onClose(() => system.stop())
      return system
    },
    close: async () => {
      for (const close of closing.toReversed()) await close()
    },
  }
  return kit
}
