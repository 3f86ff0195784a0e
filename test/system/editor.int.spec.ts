// A real language server with the published schema: an editor completes a flow and underlines what is wrong in it.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'

jest.setTimeout(60_000)
const require = createRequire(import.meta.url)
const root = join(import.meta.dirname, '../..')
const SCHEMA = pathToFileURL(join(root, 'docs/generated/flow.schema.json')).href

type Message = {
  readonly id?: number | string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}
type Item = { readonly label: string; readonly documentation?: unknown }
type Finding = { readonly message: string; readonly range: { readonly start: { readonly line: number; readonly character: number } } }

/** The language server as an editor talks to it: messages with a length, over its standard input and output. */
class Editor {
  readonly #server: ChildProcessWithoutNullStreams
  readonly #answers = new Map<number, (message: Message) => void>()
  readonly #findings = new Map<string, readonly Finding[]>()
  readonly #watching = new Map<string, (findings: readonly Finding[]) => void>()
  #read = Buffer.alloc(0)
  #lastId = 0
  #lastFile = 0

  constructor() {
    this.#server = spawn(process.execPath, [require.resolve('yaml-language-server/bin/yaml-language-server'), '--stdio'])
    this.#server.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  async open(): Promise<void> {
    await this.request('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: { textDocument: { completion: { completionItem: { documentationFormat: ['markdown'] } } } },
    })
    this.#send({ method: 'initialized', params: {} })
    // Without the store of schemas of the network: ours is named, and nothing else is asked.
    const settings = {
      yaml: { validate: true, completion: true, hover: true, schemaStore: { enable: false }, schemas: { [SCHEMA]: '/*.flow.yaml' } },
    }
    this.#settings = settings
    this.#send({ method: 'workspace/didChangeConfiguration', params: { settings } })
    // It reads its settings when it likes; from then on it underlines.
    for (let tries = 0; tries < 50 && (await this.findings('wrong: word\n')).length === 0; tries += 1);
  }
  #settings: { readonly yaml: object } = { yaml: {} }

  /** Opens a document in which "|" is the cursor; its address and where the cursor is. */
  show(marked: string): { readonly uri: string; readonly position: { readonly line: number; readonly character: number } } {
    const before = marked.split('|')[0] ?? ''
    const text = marked.replace('|', '')
    const uri = `file:///${(this.#lastFile += 1)}.flow.yaml`
    this.#send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } })
    const lines = before.split('\n')
    return { uri, position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 } }
  }

  async complete(marked: string): Promise<readonly Item[]> {
    const { uri, position } = this.show(marked)
    const result = await this.request('textDocument/completion', { textDocument: { uri }, position })
    return isCompletion(result) ? result.items : []
  }

  async hover(marked: string): Promise<string> {
    const { uri, position } = this.show(marked)
    return JSON.stringify(await this.request('textDocument/hover', { textDocument: { uri }, position }))
  }

  /** What the server underlines in a document. */
  async findings(text: string): Promise<readonly Finding[]> {
    const { uri } = this.show(text)
    const known = this.#findings.get(uri)
    return known ?? new Promise((resolve) => this.#watching.set(uri, resolve))
  }

  request(method: string, params: unknown): Promise<unknown> {
    const id = (this.#lastId += 1)
    const answered = new Promise<unknown>((resolve, reject) =>
      this.#answers.set(id, ({ result, error }) => (error === undefined ? resolve(result) : reject(new Error(JSON.stringify(error))))),
    )
    this.#send({ id, method, params })
    return answered
  }

  async close(): Promise<void> {
    await this.request('shutdown', null)
    const ended = new Promise((resolve) => this.#server.once('exit', resolve))
    this.#send({ method: 'exit' })
    await ended
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  #receive(chunk: Buffer): void {
    this.#read = Buffer.concat([this.#read, chunk])
    for (;;) {
      const end = this.#read.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(this.#read.subarray(0, Math.max(0, end)).toString())?.[1])
      if (end === -1 || this.#read.length < end + 4 + length) return
      this.#handle(JSON.parse(this.#read.subarray(end + 4, end + 4 + length).toString()))
      this.#read = this.#read.subarray(end + 4 + length)
    }
  }

  #handle(message: Message): void {
    const { id, method, params } = message
    if (method === 'textDocument/publishDiagnostics' && isPublished(params)) {
      this.#findings.set(params.uri, params.diagnostics)
      this.#watching.get(params.uri)?.(params.diagnostics)
    } else if (method !== undefined && id !== undefined) {
      // The server asks for its settings, or to register what it can do.
      this.#send({
        id,
        result:
          method === 'workspace/configuration' && isAsking(params)
            ? params.items.map(({ section }) => (section === 'yaml' ? this.#settings.yaml : null))
            : null,
      })
    } else if (typeof id === 'number') this.#answers.get(id)?.(message)
  }
}

const isCompletion = (value: unknown): value is { readonly items: readonly Item[] } =>
  typeof value === 'object' && value !== null && 'items' in value
const isPublished = (value: unknown): value is { readonly uri: string; readonly diagnostics: readonly Finding[] } =>
  typeof value === 'object' && value !== null && 'diagnostics' in value
const isAsking = (value: unknown): value is { readonly items: readonly { readonly section?: string }[] } =>
  typeof value === 'object' && value !== null && 'items' in value

const labels = (items: readonly Item[]): readonly string[] => items.map(({ label }) => label)

const FLOW = `flow: demo/first@1.0.0
input: { text: string }
steps:
  - classify:
      model: cheap
      prompt: Which intent has {{ input.text }}?
      returns: { intent: refund | other, confidence: 0..1 }
      timeout: 5s
      gate:
        - { when: it.confidence >= 0.8, then: next }
        - { else: { human: { queue: support, sla: 1h } } }
`

describe('an editor with the published schema', () => {
  const editor = new Editor()
  beforeAll(() => editor.open())
  afterAll(() => editor.close())

  it('completes the words of a step', async () => {
    const words = labels(await editor.complete('steps:\n  - answer:\n      prompt: Say {{ input.text }}\n      |\n'))
    expect(words).toEqual(expect.arrayContaining(['with', 'returns', 'timeout', 'retry', 'gate', 'onError', 'failover', 'cache', 'budget']))
  })

  it('completes the kinds of steps', async () => {
    const words = labels(await editor.complete('steps:\n  - answer:\n      |\n'))
    expect(words).toEqual(expect.arrayContaining(['model', 'tool', 'retrieve', 'human', 'switch', 'parallel', 'map', 'vote', 'loop']))
  })

  it('completes the words at the top', async () => {
    const words = labels(await editor.complete('flow: demo/first@1.0.0\n|\n'))
    expect(words).toEqual(expect.arrayContaining(['limits', 'params', 'input', 'steps', 'onError', 'output', 'triggers']))
  })

  it('says what a word means', async () => {
    expect(await editor.hover('steps:\n  - answer:\n      prompt: Say {{ input.text }}\n      time|out: 5s\n')).toMatch(/"value":".{10,}/)
  })

  it('underlines nothing in a correct flow', async () => {
    expect(await editor.findings(FLOW)).toEqual([])
  })

  it('underlines a wrong word in a step, at its place', async () => {
    const findings = await editor.findings(FLOW.replace('timeout: 5s', 'timeuot: 5s'))
    expect(findings.some(({ range }) => range.start.line === 7)).toBe(true)
    expect(JSON.stringify(findings)).toMatch(/timeuot/)
  })

  it('underlines a wrong word at the top', async () => {
    const findings = await editor.findings(FLOW.replace('input:', 'inputs:'))
    expect(findings.map(({ range }) => range.start.line)).toContain(1)
  })
})
