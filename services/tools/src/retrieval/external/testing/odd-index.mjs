// An index of somebody else for tests, in a process of its own: `node odd-index.mjs http` prints its port, `node odd-index.mjs mcp` speaks
// JSON-RPC over stdio. The question says what it answers: fine, twice, slow, huge, broken, wrong, textless, none.
import { createServer } from 'node:http'

const HITS = [
  { id: 'a', title: 'Lost cards', text: 'Freeze the card.', score: 0.9 },
  { id: 'b', title: 'Refunds', text: 'Three days.', score: 0.4 },
]
const HUGE = 100 * 1_024 * 1_024
const ANSWERS = {
  fine: { hits: HITS },
  twice: { hits: [HITS[0], HITS[1], { ...HITS[0], text: 'Freeze the card. Again.' }, HITS[1]] },
  wrong: { hits: { a: 'Freeze the card.' } },
  textless: { hits: [{ id: 'a', title: 'Lost cards' }, { id: 'b' }] },
  none: { hits: [] },
}

const overHttp = () => {
  const server = createServer((request, response) => {
    const q = new URL(request.url, 'http://x').searchParams.get('q')
    if (q === 'slow') return
    response.writeHead(200, { 'content-type': 'application/json' })
    if (q === 'broken') response.end('{"hits": [{"id": "a", "text":')
    else if (q !== 'huge') response.end(JSON.stringify(ANSWERS[q]))
    else {
      const piece = 'x'.repeat(64 * 1_024)
      response.on('error', () => undefined).write('{"hits":[{"id":"a","text":"')
      let sent = 0
      const more = () => {
        while (sent < HUGE && !response.destroyed) {
          sent += piece.length
          if (!response.write(piece)) return response.once('drain', more)
        }
        response.end('"}]}')
      }
      more()
    }
  })
  server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${server.address().port}\n`))
}

const search = {
  name: 'search',
  description: 'Looks for passages.',
  inputSchema: { type: 'object', properties: { q: { type: 'string' } } },
}
const overStdio = () => {
  const reply = (id, result) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
  const call = (id, q) => {
    if (q === 'slow') return
    if (q === 'broken') process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":[}\n`)
    // As most servers answer: JSON in a text.
    else reply(id, { content: [{ type: 'text', text: q === 'huge' ? 'x'.repeat(HUGE) : JSON.stringify(ANSWERS[q]) }] })
  }
  const answer = ({ id, method, params }) => {
    if (method === 'initialize')
      reply(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'odd-index', version: '1.0.0' } })
    else if (method === 'tools/list') reply(id, { tools: [search] })
    else if (method === 'tools/call') call(id, params.arguments.q)
    else if (id !== undefined) reply(id, {})
  }
  let rest = ''
  process.stdin.on('data', (piece) => {
    const lines = (rest + piece.toString('utf8')).split('\n')
    rest = lines.pop()
    for (const line of lines) answer(JSON.parse(line))
  })
  process.stdin.on('end', () => process.exit(0))
}

if (process.argv[2] === 'http') overHttp()
else overStdio()
