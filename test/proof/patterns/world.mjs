// The world outside of Baton: what tools of the proof reach. Each call says itself what it gives; the proof sees all of them.
//   what    the name of the call, the same for calls that belong together
//   gives   what it answers; without it `{ v, n }`: v as it came, n counts the calls of this name
//   fails   the code of a fault instead
//   holds   answers only when the proof lets go, or after that many milliseconds
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

export const openWorld = async () => {
  const calls = []
  const holders = new Map()
  const atOnce = new Map()
  const of = (what) => calls.filter(({ args }) => args.what === what)

  const answerTo = async ({ what, v = null, gives, fails, holds }, n) => {
    if (typeof holds === 'number') await pause(holds)
    else if (holds !== undefined) await new Promise((letGo) => holders.set(what, [...(holders.get(what) ?? []), letGo]))
    if (fails !== undefined) return { fault: fails }
    return { gives: gives ?? { v, n } }
  }

  const server = createServer(async (request, response) => {
    const call = await json(request)
    const { what } = call.args
    calls.push(call)
    const now = (atOnce.get(what)?.now ?? 0) + 1
    atOnce.set(what, { now, most: Math.max(now, atOnce.get(what)?.most ?? 0) })
    const answer = await answerTo(call.args, of(what).length)
    atOnce.get(what).now -= 1
    response.end(JSON.stringify(answer))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    calls: of,
    /** Names of the calls of a run, in the order they came. */
    order: (runId) => calls.filter((call) => call.runId === runId).map(({ args }) => args.what),
    /** Most calls of this name at the same time. */
    most: (what) => atOnce.get(what)?.most ?? 0,
    letGo: (what) => {
      for (const letGo of holders.get(what) ?? []) letGo()
      holders.delete(what)
    },
    close: () => {
      for (const what of holders.keys()) for (const letGo of holders.get(what)) letGo()
      server.closeAllConnections()
      server.close()
    },
  }
}
