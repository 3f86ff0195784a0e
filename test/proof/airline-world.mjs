// The world of the airline proof: the recording plays the model, the recorded results play the airline, and every write is counted.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'

export const WRITES = [
  'book_reservation',
  'cancel_reservation',
  'send_certificate',
  'update_reservation_baggages',
  'update_reservation_flights',
  'update_reservation_passengers',
]

const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const names = Object.keys(value).toSorted()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}

/** What says that two calls are the same: the tool and its arguments. */
export const keyOf = (tool, args) => `${tool} ${canonical(args)}`

/** Each trajectory as its calls, in order, with what a reviewer who knows the truth would allow. */
export const readTrajectories = (file, limit) =>
  JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
    .slice(0, limit)
    .map(({ info, traj }, number) => {
      const results = new Map(traj.filter(({ role }) => role === 'tool').map((message) => [message.tool_call_id, message.content]))
      const calls = traj.flatMap(({ tool_calls: made = [] }) =>
        made.map(({ id, function: { name, arguments: text } }) => ({ tool: name, args: JSON.parse(text), result: results.get(id) ?? '' })),
      )
      return { number, calls, truth: new Set(info.task.actions.map(({ name, kwargs }) => keyOf(name, kwargs))) }
    })

const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)))

const readBody = (request) =>
  new Promise((resolve) => {
    let text = ''
    request.on('data', (piece) => (text += piece))
    request.on('end', () => resolve(text === '' ? {} : JSON.parse(text)))
  })

const send = (response, body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const textOf = ({ content }) => (typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join(''))

/**
 * A server that speaks OpenAI's chat completions: the recorded calls one after the other, then an answer. Where the conversation begins
 * anew (the engine stopped an agent at its fourth try of the very same call, and the flow lets it go on), so does the call that was not made.
 */
export const startRecordedModel = async (trajectories) => {
  const byNumber = new Map(trajectories.map((trajectory) => [trajectory.number, trajectory]))
  const places = new Map()
  let turns = 0
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return send(response, { data: [{ id: 'recorded' }] })
    const { model, messages, tools = [] } = await readBody(request)
    const number = Number(/case-(\d+)/.exec(messages.map(textOf).join(' '))?.[1])
    const at = messages.filter((message) => message.role === 'assistant' && message.tool_calls?.length > 0).length
    const before = places.get(number) ?? { offset: 0, last: 0 }
    const offset = at === 0 ? before.offset + before.last : before.offset
    places.set(number, { offset, last: at })
    const call = byNumber.get(number)?.calls[offset + at]
    turns += 1
    const name = tools.map((tool) => tool.function.name).find((one) => call !== undefined && one.endsWith(call.tool))
    const calls = [{ id: `call_${number}_${offset + at}`, type: 'function', function: { name, arguments: JSON.stringify(call?.args) } }]
    const message =
      name === undefined ? { role: 'assistant', content: '{"verdict":"done"}' } : { role: 'assistant', content: null, tool_calls: calls }
    const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }
    send(response, {
      id: `chat_${turns}`,
      object: 'chat.completion',
      created: 0,
      model,
      choices: [{ index: 0, message, finish_reason: name === undefined ? 'stop' : 'tool_calls' }],
      usage,
    })
  })
  const url = await listen(server)
  return { url: `${url}/v1`, turns: () => turns, stop: () => server.close() }
}

/**
 * The airline: answers what was recorded for a tool and its arguments, and keeps every write. An answer repeats its question: three
 * turns in a row that come to the very same are taken as being stuck, and a recording asks three times and finds nothing.
 */
export const startAirline = async (trajectories) => {
  const recorded = new Map()
  for (const { calls } of trajectories)
    for (const { tool, args, result } of calls) if (!recorded.has(keyOf(tool, args))) recorded.set(keyOf(tool, args), result)
  const writes = []
  let reads = 0
  let unknown = 0
  const server = createServer(async (request, response) => {
    const tool = request.url.slice(1)
    const args = await readBody(request)
    const key = keyOf(tool, args)
    if (WRITES.includes(tool)) writes.push({ key, effect: request.headers['idempotency-key'] })
    else reads += 1
    if (!recorded.has(key)) unknown += 1
    send(response, { asked: args, answer: recorded.get(key) ?? 'Error: nothing was recorded for this call' })
  })
  const url = await listen(server)
  return { url, writes, reads: () => reads, unknown: () => unknown, stop: () => server.close() }
}
