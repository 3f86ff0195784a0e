// S6: support of a product. Facts come from the committed documents, moods from a classifier by rules, complaints go to a model that sees the
// whole conversation, tickets and customers live in the MCP server of examples/mcp-support, whose SQLite file is looked into from outside.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openPlace, row } from './_place.mjs'

export const title = 'S6: support with documents, a CRM behind MCP, a conversation, and people'
export const not =
  'how well a real model sorts and answers: the hosted models are functions here. The mood is what mood.yaml says, by words.'

const FLOW = 'support/assistant'
const wordsOf = (text) => new Set(text.toLowerCase().match(/[a-z]{4,}/g) ?? [])
let documentModel = 'up'

/** Sorts by words; answers with the passage that has most words of the question. */
const fast = (asked) => {
  if (asked.includes('kind is factual')) {
    const [message = ''] = asked.split('\n\nkind is factual')
    if (message.includes('hm')) return { answer: { kind: 'factual', confidence: 0.2 } }
    if (/\b(human|person)\b/i.test(message)) return { answer: { kind: 'person', confidence: 0.95 } }
    return { answer: { kind: /order \d|still|again|third time|point \d/i.test(message) ? 'complaint' : 'factual', confidence: 0.9 } }
  }
  if (documentModel === 'down') return { status: 503 }
  const [question = '', documents = ''] = asked.split('\n\nDocuments:\n\n')
  const words = wordsOf(question)
  const lines = documents.split('\n').filter((line) => line.length > 20)
  const scored = lines.map((line) => ({ line, share: [...words].filter((word) => wordsOf(line).has(word)).length / words.size }))
  const best = scored.toSorted((left, right) => right.share - left.share)[0]
  return { answer: best === undefined || best.share < 0.4 ? { text: 'Perhaps.', score: 0.1 } : { text: best.line, score: 0.9 } }
}
const frontier = (asked) => {
  const ticket = /Name the ticket (\S+?)\./.exec(asked)?.[1]
  if (asked.includes('point 99')) return { answer: { text: `You are a stupid idiot. I will kill you. Ticket ${ticket}.`, score: 0.9 } }
  return { answer: { text: `We are sorry, and look at every point. Your ticket is ${ticket}.`, score: 0.9 } }
}

const counts = (file) => {
  const db = new DatabaseSync(file, { readOnly: true })
  const one = (sql) => Object.values(db.prepare(sql).get())[0]
  const found = { tickets: one('select count(*) from tickets'), callBacks: one('select count(*) from call_backs') }
  db.close()
  return found
}

const asText = (request) =>
  request.messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))).join('\n')

/** What a customer says in a session, and what came of it. */
const talkTo = (place) => {
  const begin = async (text, { session, customer = 'c-1' } = {}) =>
    (await place.lab.good('POST', '/v1/runs', { flow: FLOW, input: { text, customer }, ...(session === undefined ? {} : { session }) }))
      .runId
  const say = async (text, more) => {
    const run = await place.lab.settled(await begin(text, more))
    return run.result ?? { output: { text: `waits for ${run.waitingFor}` } }
  }
  return { begin, say }
}

const facts = async (place, { say, begin }) => {
  const rows = []
  const known = await say('How do I deposit a check with the mobile app, with photos of the front and back?')
  const evidence = (place.requests('fast').map(asText).at(-1) ?? '').split('\n\nDocuments:\n\n')[1] ?? ''
  rows.push(
    row(
      'a question that a document answers',
      { kind: 'factual', by: 'model:fast-1', check: true },
      {
        kind: known.output?.kind,
        by: known.output?.by,
        check: /check/i.test(known.output?.text ?? ''),
      },
    ),
    row(
      'the model saw passages, and none of those for the staff',
      { passages: true, internal: false },
      {
        passages: /\[1\]/.test(evidence),
        internal: evidence.includes('Internal:'),
      },
    ),
  )
  documentModel = 'down'
  const quoted = await say('How do I deposit a check with the mobile app?')
  documentModel = 'up'
  rows.push(
    row(
      'the model is down: the documents are quoted',
      true,
      quoted.output?.by === 'model:extractive-1' && quoted.output.text.includes('“'),
      true,
    ),
  )
  const open = await begin('Do you rent sailing yachts in Antarctica?')
  const settled = await place.lab.settled(open)
  await place.lab.edit('support', open, { text: 'No, sorry.', score: 1 })
  const { output } = await place.lab.ended(open)
  rows.push(
    row(
      'what no document says is answered by a person',
      { waits: true, text: 'No, sorry.', by: 'human:ada' },
      {
        waits: settled.status !== 'completed',
        text: output?.text,
        by: output?.by,
      },
    ),
  )
  return rows
}

const COMPLAINTS = [
  'Where is my order 4711? It should have come on Monday.',
  'It is still not here and nobody answered my mail. The parcel number is ZX-9.',
  'This is the third time I write. It is unacceptable, I am furious!',
]

const complaints = async (place, { say }, file) => {
  const before = counts(file)
  const answers = []
  for (const text of COMPLAINTS) answers.push(await say(text, { session: 'chat-1', customer: 'c-2' }))
  const last = place.requests('frontier').at(-1)
  const seen = last === undefined ? '' : asText(last)
  const earlier = COMPLAINTS.slice(0, -1).flatMap((text, at) => [text, answers[at].output?.text ?? 'nothing'])
  const places = earlier.map((text) => seen.indexOf(text))
  const after = counts(file)
  const tickets = answers.map(({ output }) => /T-[0-9A-F]+/.exec(output?.text ?? '')?.[0])
  return [
    row(
      'three complaints in a session go to the frontier model',
      ['complaint', 'complaint', 'complaint'],
      answers.map(({ output }) => output?.kind),
    ),
    row(
      'the last request to it holds the whole conversation: each message and each answer before it, in order',
      true,
      places.every((at, index) => at >= 0 && (index === 0 || at > places[index - 1])),
    ),
    row('and what the CRM knows of the customer', true, seen.includes('Ben Okoro')),
    row(
      'each has a ticket of its own, which the answer names',
      { tickets: 3, named: 3 },
      { tickets: after.tickets - before.tickets, named: new Set(tickets).size },
    ),
    row(
      'moods by the classifier',
      ['neutral', 'negative', 'negative'],
      answers.map(({ output }) => output?.mood),
    ),
    row('the customer who is angry for sure is called back, the others are not', 1, after.callBacks - before.callBacks),
  ]
}

const LONG = 'The parcel was left in the rain, the box was soft, and the driver would not wait while I looked inside. '.repeat(24)

const longTalk = async (place, { say }) => {
  const texts = Array.from({ length: 16 }, (_, at) => `point ${at + 1}. ${LONG}`)
  for (const text of texts) await say(text, { session: 'chat-2', customer: 'c-3' })
  const seen = asText(place.requests('frontier').at(-1) ?? { messages: [] })
  const runId = await place.lab.good('GET', `/v1/runs?flow=${encodeURIComponent(FLOW)}&limit=1`).then(({ items }) => items[0]?.runId)
  const trace = JSON.stringify(await place.lab.trace(runId))
  const left = /"leftOut":(\[[^\]]*\])/.exec(trace)?.[1]
  return [
    row(
      'a conversation longer than its 8,000 tokens: what was shortened is said in the text',
      true,
      /\[of \d+ earlier entries, their most telling sentences:\]/.test(seen),
    ),
    row(
      'and in the trace of the run, with how many tokens',
      (text) => /"part":"conversation".*"tokens":\d+/.test(text),
      left ?? 'nothing',
      'conversation, tokens',
    ),
    row('the newest messages are whole', true, seen.includes(texts[14]) && seen.includes('point 16')),
  ]
}

const people = async (place, { begin, say }, file) => {
  const rows = []
  const decided = async (what, text, queue, must) => {
    const runId = await begin(text)
    await place.lab.settled(runId)
    await place.lab.decide(queue, runId, { text: 'I will call you at six.', score: 1 })
    const { output } = await place.lab.ended(runId)
    rows.push(row(what, must, { text: output?.text, by: output?.by }))
  }
  const byAda = { text: 'I will call you at six.', by: 'human:ada' }
  await decided('who asks for a person gets one (E10)', 'I want to talk to a human.', 'support', byAda)
  await decided('so does a message that nobody understands', 'hm', 'support', byAda)
  await decided('an answer that the guard stops is written by a person', 'I write again, point 99.', 'complaints', byAda)
  const stranger = await say('How do I deposit a check with the mobile app?', { customer: 'c-404' })
  rows.push(row('a customer that the CRM does not know is answered all the same', 'completed', stranger.status))
  const before = counts(file)
  const open = await begin('I write again, point 99 once more.')
  await place.lab.settled(open)
  await place.again('SIGKILL')
  await place.lab.decide('complaints', open, { text: 'Back again.', score: 1 })
  const { output } = await place.lab.ended(open)
  rows.push(
    row(
      'kill -9 while a person is asked: it goes on, with one ticket',
      { text: 'Back again.', tickets: 1 },
      { text: output?.text, tickets: counts(file).tickets - before.tickets },
    ),
  )
  return rows
}

export const run = async (kit) => {
  const place = await openPlace(kit, {
    flows: ['flows/s06-support-product'],
    serve: { fast, frontier },
    specs: {
      sentiment: { provider: 'rules', rules: 's06-support-product/mood.yaml' },
      extractive: { provider: 'extractive', quotesMax: 3, scoreMin: 0.2 },
    },
    config: {
      'tools.yaml': JSON.stringify({
        mcp: {
          servers: {
            crm: {
              command: 'node',
              args: ['examples/mcp-support/server.mjs', '--data', '${BATON_DATA_DIR:-.baton}/crm.sqlite'],
              trusted: true,
              tools: {
                customer: { effect: 'read' },
                create_ticket: { effect: 'write', idempotent: true },
                call_back: { effect: 'write', idempotent: true },
              },
            },
          },
        },
      }),
    },
  })
  const file = join(place.home.folder, 'data', 'crm.sqlite')
  await place.lab.cli('index', 'add', 'help', 'data/support/documents.jsonl.gz')
  const talk = talkTo(place)
  return [
    ...(await facts(place, talk)),
    ...(await complaints(place, talk, file)),
    ...(await longTalk(place, talk)),
    ...(await people(place, talk, file)),
  ]
}
