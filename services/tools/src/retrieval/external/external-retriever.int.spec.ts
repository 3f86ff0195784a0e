// Indexes of others, each a server in a process of its own, asked by the handler of `retrieval.search` (C7).
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { StepCommand } from '@baton/contracts'
import type { Platform, WorkContext, WorkHandler, WorkResult } from '@baton/service'
import { readSection } from '../../config/section.ts'
import { readHttp, readNetwork } from '../../http/http.config.ts'
import { openHttp } from '../../http/http-source.ts'
import { openTestMcp, type TestMcp } from '../../mcp/testing/fixture.ts'
import { createRegistry } from '../../tool-registry.ts'
import type { ToolSource } from '../../tool-source.ts'
import { askOthers, type Others } from './ask-others.ts'
import { retrievalSearch } from '../retrieval.consumer.ts'
import type { SearchIndex } from '../search-index.repository.ts'
import type { Retriever } from './retrievers.config.ts'

const SCRIPT = fileURLToPath(new URL('testing/odd-index.mjs', import.meta.url))
const retriever = (index: string, tool: string): Retriever => ({
  index,
  tool,
  query: 'q',
  top: null,
  filter: null,
  arguments: {},
  items: 'hits',
  fields: {},
})

let server: ChildProcess
let mcp: TestMcp
let sources: readonly ToolSource[] = []
let search: WorkHandler
let others: Others

beforeAll(async () => {
  server = spawn(process.execPath, [SCRIPT, 'http'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(server.stdout ?? server, 'data')
  const port = /\d+/.exec(String(line))?.[0] ?? ''
  mcp = await openTestMcp()
  const http = openHttp({
    operations: readHttp(
      readSection(
        `odd/http: { method: GET, url: 'http://127.0.0.1:${port}/', input: { type: object, properties: { q: { type: string } } }, effect: read, timeout: 3s }`,
        'tools.yaml',
      ),
    ),
    network: readNetwork(readSection('allow: [127.0.0.1]', 'tools.yaml')),
  })
  const odd = `{ command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify([SCRIPT, 'mcp'])}, timeout: 3s, effect: read }`
  sources = [http, mcp.open(`mcp: { servers: { odd-mcp: ${odd} } }`)]
  const byIndex = new Map([
    ['http', retriever('http', 'odd/http')],
    ['mcp', retriever('mcp', 'odd-mcp/search')],
  ])
  const telemetry = { logger: { debug() {}, info() {}, warn() {}, error() {} } }
  // All that the handler takes of a platform.
  const platform = { db: mcp.db, stores: mcp.stores, telemetry } as unknown as Platform
  const retrievers = { registry: createRegistry(sources), byIndex }
  search = retrievalSearch({ platform, indexes: {} as SearchIndex, retrievers }) // indexes of our own are not asked
  others = askOthers(platform, retrievers)
}, 60_000)
afterAll(async () => {
  for (const source of sources) await source.close?.()
  await mcp.close()
  const ended = once(server, 'exit')
  server.kill()
  await ended
})

/** What the step gets, or the code of its fault. */
const asked = async (index: string, query: string, top = 5): Promise<WorkResult | string> => {
  const node = { id: 'docs', name: 'docs', kind: 'retrieve', index, top, with: { lit: {} }, effect: 'read' }
  const command = { tenant: 'default', effectKey: 'run_1/docs/0', runId: 'run_1', flow: 'a/b', path: 'docs' } as StepCommand // what the handler reads
  const context = { node, input: { query }, nowMs: Date.now, signal: AbortSignal.timeout(30_000) } as unknown as WorkContext
  try {
    return await search(command, context)
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
const passages = async (index: string, query: string, top?: number) => {
  const result = await asked(index, query, top)
  return typeof result === 'string' || result.status !== 'answered' ? result : result.output
}

describe.each(['http', 'mcp'])('an index behind a server over %s', (index) => {
  it('gives its passages in its order, as content from outside', async () => {
    expect(await asked(index, 'fine')).toMatchObject({
      status: 'answered',
      by: `index:${index}`,
      taint: [`index:${index}`],
      output: {
        score: 0.9,
        items: [
          { id: 'a', title: 'Lost cards', text: 'Freeze the card.', rank: 1 },
          { id: 'b', rank: 2 },
        ],
      },
    })
    expect(await passages(index, 'none')).toEqual({ items: [], score: 0 })
  })

  it('shows people what a step would get, and faults as a step has them', async () => {
    const asked = (query: string) => others.search({ tenant: 'default', index, args: { query, top: 1 } })
    expect(await asked('fine')).toMatchObject([{ id: 'a', text: 'Freeze the card.', rank: 1 }])
    await expect(asked('wrong')).rejects.toMatchObject({ code: 'tool.result_invalid' })
    expect(others.list()).toContainEqual({ name: index, tool: index === 'http' ? 'odd/http' : 'odd-mcp/search' })
  })

  it('X3: a document that comes twice is one passage, and does not take the place of another', async () => {
    expect(await passages(index, 'twice', 2)).toMatchObject({
      items: [
        { id: 'a', text: 'Freeze the card.', rank: 1 },
        { id: 'b', rank: 2 },
      ],
    })
    expect(await passages(index, 'twice', 4)).toMatchObject({ items: { length: 2 } })
  })

  it('X4: an answer of another shape is a fault, and never "nothing found"', async () => {
    expect([await asked(index, 'wrong'), await asked(index, 'textless')]).toEqual(['tool.result_invalid', 'tool.result_invalid'])
  })

  it('ends with a fault when it is slow, answers 100 MB or no JSON, and goes on after it', async () => {
    expect(await asked(index, 'slow')).toBe('tool.timed_out')
    expect(await asked(index, 'huge')).toBe(index === 'http' ? 'tool.result_invalid' : 'tool.unreachable')
    expect(await asked(index, 'broken')).toBe(index === 'http' ? 'tool.result_invalid' : 'tool.unreachable')
    expect(await passages(index, 'fine')).toMatchObject({ score: 0.9 })
  }, 60_000)
})
