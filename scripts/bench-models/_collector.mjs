// A collector of spans as a process of its own: takes OTLP over HTTP and counts the spans of what it is sent. Prints its address.
import { createServer } from 'node:http'

const NAME = Buffer.from('model.invoke')
let spans = 0
const server = createServer((request, response) => {
  const pieces = []
  request.on('data', (piece) => pieces.push(piece))
  request.on('end', () => {
    const body = Buffer.concat(pieces)
    for (let at = body.indexOf(NAME); at >= 0; at = body.indexOf(NAME, at + NAME.length)) spans += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify(request.method === 'GET' ? { spans } : {}))
  })
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
