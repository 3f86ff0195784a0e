// The world outside of the effects proof, as a process of its own: payments and mails that are counted, answers that are lost.
// It never does anything once on its own account, but for /keyed, which honours the key of its caller as payment services do.
import { createServer } from 'node:http'

/** A number in [0, 1) that is the same for the same text and seed. */
export const chance = (text, seed) => {
  let hash = 2_166_136_261 ^ seed
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 2_246_822_519)
  hash ^= hash >>> 13
  return (hash >>> 0) / 2 ** 32
}

const effects = []
const byKey = new Map()
const tries = new Map()
let requests = 0
let lost = 0
let refused = 0
const seed = Number(process.argv[2] ?? 1)

const answer = (response, status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const act = (kind, key, body, response) => {
  requests += 1
  const attempt = (tries.get(key) ?? 0) + 1
  tries.set(key, attempt)
  const luck = chance(`${key}/${attempt}`, seed)
  if (luck < 0.06) {
    refused += 1
    return response.destroy() // before the effect: whoever called cannot tell
  }
  const known = kind === 'keyed' ? byKey.get(key) : undefined
  const made = known ?? { id: `${kind}_${effects.length + 1}`, kind, key, about: body.about }
  if (known === undefined) {
    effects.push(made)
    if (!byKey.has(key)) byKey.set(key, made)
  }
  if (luck < 0.2) {
    lost += 1
    return response.destroy() // after the effect: the answer is lost
  }
  setTimeout(() => answer(response, 200, made), luck < 0.5 ? 40 : 0)
}

const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece))
  request.on('end', () => {
    const [, kind = '', last = ''] = request.url.split('/')
    if (kind === 'count') return answer(response, 200, { effects, requests, lost, refused })
    if (request.method === 'GET') {
      const made = byKey.get(last)
      return made === undefined ? answer(response, 404, {}) : answer(response, 200, made)
    }
    act(kind, request.headers['idempotency-key'] ?? '', JSON.parse(text), response)
  })
})
process.on('disconnect', () => process.exit())
if (process.argv[1] === import.meta.filename) server.listen(0, '127.0.0.1', () => process.send?.(server.address().port))
