// The four official servers of npm, over the transports that they have.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer, askedBy, codeOf, freePort, official, openClient, startListening } from './client.mjs'

const everything = async (client, check, { over, reach, quick }) => {
  const label = `everything, ${over}`
  const source = client.open({ [`every-${over}`]: { ...reach, elicitation: true, timeout: '60s' } })
  const server = `every-${over}`
  const call = (tool, args, more) => client.call(source, `${server}/${tool}`, args, more)
  try {
    const [{ tools, fault }] = await source.refresh()
    check(`${label}: lists its tools`, '>= 13', fault?.message ?? tools.length, tools.length >= 13)
    const quiet = client.open({ [`${server}-quiet`]: { ...reach, elicitation: false } })
    const [fewer] = await quiet.refresh()
    await quiet.close()
    check(
      `${label}: what it lists depends on what the client can do`,
      'fewer',
      `${tools.length} and ${fewer.tools.length}`,
      fewer.tools.length < tools.length,
    )
    check(
      `${label}: echo`,
      'Echo: hi',
      (await call('echo', { message: 'hi' })).text,
      (await call('echo', { message: 'hi' })).text === 'Echo: hi',
    )
    const weather = await call('get-structured-content', { location: 'Chicago' })
    check(
      `${label}: structured content is the output, checked`,
      'temperature',
      JSON.stringify(weather),
      typeof weather.temperature === 'number',
    )
    const image = await call('get-tiny-image')
    const bytes = image.content?.[0]?.ref?.sizeBytes ?? 0
    check(`${label}: an image is kept by reference`, '> 0 bytes', `${bytes} bytes, ${image.content?.[0]?.mediaType}`, bytes > 0)
    const { resources } = await call('resource.list')
    const read = await call('resource.read', { uri: resources[0].uri })
    check(
      `${label}: a resource is read`,
      'text',
      `${resources.length} listed, ${String(read.text).length} characters`,
      String(read.text).length > 0,
    )
    const { prompts } = await call('prompt.list')
    const prompt = await call('prompt.get', { name: prompts[0].name })
    check(
      `${label}: a prompt is filled in`,
      'a message',
      `${prompts.length} listed, ${prompt.messages.length} message`,
      prompt.messages.length > 0,
    )
    check(
      `${label}: arguments are checked before the call`,
      'tool.arguments_invalid',
      await codeOf(call('get-sum', { a: 'x' })),
      (await codeOf(call('get-sum', { a: 'x' }))) === 'tool.arguments_invalid',
    )
    if (!quick) await slow(client, check, { label, call })
    await elicitation(client, check, { label, server, reach, source, call })
  } finally {
    await source.close()
  }
}

/** Calls that become tasks, and one that takes long. */
const slow = async (client, check, { label, call }) => {
  let extended = 0
  const started = performance.now()
  const research = await call('simulate-research-query', { topic: 'tides', ambiguous: false }, { extend: async () => void (extended += 1) })
  check(
    `${label}: a call that must be a task is followed to its end`,
    'a report',
    `${String(research.text).slice(0, 40)} after ${((performance.now() - started) / 1000).toFixed(1)} s`,
    String(research.text).includes('Research Report'),
  )
  const unclear = await askedBy(call('simulate-research-query', { topic: 'bank', ambiguous: true }))
  const field = Object.keys(unclear.schema.properties)[0]
  const choice = unclear.schema.properties[field].enum?.[0] ?? unclear.schema.properties[field].oneOf?.[0]?.const ?? 'river'
  const clear = await call('simulate-research-query', { topic: 'bank', ambiguous: true }, answer(unclear, 'respond', { [field]: choice }))
  check(
    `${label}: a task that asks goes on with the answer`,
    'a report',
    String(clear.text).slice(0, 60),
    String(clear.text).includes('Research Report') && !String(clear.text).includes('cancelled'),
  )
  const long = await call('trigger-long-running-operation', { duration: 2, steps: 4 })
  check(
    `${label}: a long call needs no progress notes`,
    'its result',
    String(long.text).slice(0, 60),
    String(long.text).includes('completed'),
  )
}

/** The question outlives the client and, over stdio, the server. */
const elicitation = async (client, check, { label, server, reach, source, call }) => {
  const ask = await askedBy(call('trigger-elicitation-request'))
  await source.close()
  const second = client.open({ [server]: { ...reach, elicitation: true } })
  const said = { name: 'Ada', check: true }
  const result = await client.call(second, `${server}/trigger-elicitation-request`, {}, answer(ask, 'respond', said))
  await second.close()
  check(
    `${label}: a question is answered by another client`,
    'Ada',
    String(result.text).slice(0, 80).replaceAll('\n', ' '),
    String(result.text).includes('Ada'),
  )
}

const filesystem = async (client, check) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-proof-mcp-'))
  writeFileSync(join(dir, 'a.txt'), 'first')
  const source = client.open({
    files: { command: 'node', args: [official('filesystem'), dir], tools: { read_text_file: { effect: 'read' } } },
  })
  try {
    const [{ tools }] = await source.refresh()
    const text = await client.call(source, 'files/read_text_file', { path: join(dir, 'a.txt') })
    await client.call(source, 'files/write_file', { path: join(dir, 'b.txt'), content: 'second' })
    check(
      'filesystem: reads and writes',
      'first, second',
      `${JSON.stringify(text)}, ${readFileSync(join(dir, 'b.txt'), 'utf8')}`,
      JSON.stringify(text).includes('first') && readFileSync(join(dir, 'b.txt'), 'utf8') === 'second',
    )
    check(
      'filesystem: a path outside of its folder',
      'tool.failed',
      await codeOf(client.call(source, 'files/read_text_file', { path: '/etc/hostname' })),
      (await codeOf(client.call(source, 'files/read_text_file', { path: '/etc/hostname' }))) === 'tool.failed',
    )
    const [reading, writing] = await Promise.all(['files/read_text_file', 'files/write_file'].map((name) => source.find(name)))
    check(
      'filesystem: hints raise caution, rules decide',
      'read, irreversible',
      `${reading.effect}, ${writing.effect} of ${tools.length}`,
      reading.effect === 'read' && writing.effect === 'irreversible',
    )
  } finally {
    await source.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const memory = async (client, check) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-proof-mcp-'))
  const source = client.open({
    memory: { command: 'node', args: [official('memory')], env: { MEMORY_FILE_PATH: join(dir, 'memory.json') } },
  })
  try {
    await client.call(source, 'memory/create_entities', {
      entities: [{ name: 'Ada', entityType: 'person', observations: ['likes tides'] }],
    })
    const graph = await client.call(source, 'memory/read_graph')
    check('memory: what was kept is read', 'Ada', JSON.stringify(graph).slice(0, 80), JSON.stringify(graph).includes('Ada'))
  } finally {
    await source.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const thinking = async (client, check) => {
  const source = client.open({ thinking: { command: 'node', args: [official('sequential-thinking')], trusted: true } })
  try {
    const args = { thought: 'one', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 }
    const thought = await client.call(source, 'thinking/sequentialthinking', args)
    check('sequential-thinking: structured content', 'thoughtNumber 1', JSON.stringify(thought), thought.thoughtNumber === 1)
  } finally {
    await source.close()
  }
}

export const run = async (check, { quick }) => {
  const client = await openClient()
  try {
    await everything(client, check, { over: 'stdio', reach: { command: 'node', args: [official('everything'), 'stdio'] }, quick })
    const port = await freePort()
    const listening = await startListening([official('everything'), 'streamableHttp'], {
      env: { PORT: String(port) },
      ready: /listening|port/i,
    })
    try {
      await everything(client, check, { over: 'http', reach: { url: `http://127.0.0.1:${port}/mcp`, connections: 2 }, quick })
    } finally {
      await listening.close()
    }
    await filesystem(client, check)
    await memory(client, check)
    await thinking(client, check)
  } finally {
    await client.close()
  }
}
