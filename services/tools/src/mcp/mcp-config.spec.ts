import { describe, expect, it } from '@jest/globals'
import { readSection } from '../config/section.ts'
import { effectOf, isAllowed, readMcpServers, type McpServer } from './mcp-config.ts'

const read = (yaml: string, env: NodeJS.ProcessEnv = {}): readonly McpServer[] =>
  readMcpServers(readSection(yaml, 'tools.yaml').part('mcp'), env)
const one = (body: string, env: NodeJS.ProcessEnv = {}): McpServer => {
  const [server] = read(`mcp: { servers: { crm: { ${body} } } }`, env)
  if (server === undefined) throw new Error('no server')
  return server
}

describe('the section mcp of tools.yaml', () => {
  it('M3: a server of a command has limits for everything, without naming one', () => {
    expect(read('')).toEqual([])
    expect(one('command: node, args: [a.mjs]')).toMatchObject({
      name: 'crm',
      trust: 'first-use',
      trusted: false,
      timeoutMs: 30_000,
      totalMs: 600_000,
      idleMs: 300_000,
      refreshMs: 300_000,
      connectTimeoutMs: 20_000,
      messageBytesMax: 4_194_304,
      messagesPerSecondMax: 2_000,
      inFlightMax: 64,
      toolsMax: 500,
      reach: { stdio: { command: 'node', args: ['a.mjs'] } },
    })
  })

  it('M1: names secrets, and expands variables where none are', () => {
    const { reach } = one('command: "${BIN}", args: ["${DIR:-data}/x"], env: { TOKEN: { env: CRM_TOKEN } }', {
      BIN: 'serve',
      CRM_TOKEN: 'secret',
    })
    expect(reach).toEqual({ stdio: { command: 'serve', args: ['data/x'], env: { TOKEN: { env: 'CRM_TOKEN' } }, cwd: undefined } })
    expect(JSON.stringify(reach)).not.toContain('secret')
    expect(() => one('command: "${NONE}"')).toThrow(expect.objectContaining({ code: 'config.invalid', detail: { variable: 'NONE' } }))
  })

  it.each([
    ['neither a command nor a url', 'trusted: true'],
    ['a secret that is written down', 'url: "https://x.example", auth: { bearer: abc }'],
    ['credentials without an issuer', 'url: "https://x.example", auth: { clientId: a, clientSecret: { env: A } }'],
    ['an address that is none', 'url: "ftp://x.example"'],
    ['a word that nobody knows', 'command: node, comand: x'],
    ['a time without a unit', 'command: node, timeout: 30'],
  ])('refuses %s, with file and line', (_what, body) => {
    expect(() => one(body)).toThrow(
      expect.objectContaining({ code: 'config.invalid', message: expect.stringMatching(/^tools\.yaml:1: mcp\.servers\.crm/) }),
    )
  })

  it('refuses a name that flows could not write', () => {
    expect(() => read('mcp: { servers: { "Big One": { command: node } } }')).toThrow('small letters')
  })

  it('M2: rules decide, hints make more careful, only a trusted server makes less so', () => {
    const plain = one('command: node, tools: { look: { effect: read } }')
    const trusted = one('command: node, trusted: true')
    expect(effectOf(plain, 'look', { destructiveHint: true })).toBe('read')
    expect(effectOf(plain, 'other', { readOnlyHint: true })).toBe('write')
    expect(effectOf(plain, 'other', { destructiveHint: true })).toBe('irreversible')
    expect(effectOf(trusted, 'other', { readOnlyHint: true })).toBe('read')
    expect(effectOf(one('command: node, effect: irreversible'), 'other', { readOnlyHint: true })).toBe('irreversible')
  })

  it('allows what is on the list and not denied', () => {
    const server = one('command: node, allow: [a, b], deny: [b]')
    expect(['a', 'b', 'c'].map((tool) => isAllowed(server, tool))).toEqual([true, false, false])
  })
})
