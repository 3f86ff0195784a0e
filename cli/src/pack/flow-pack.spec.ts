import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { toFault } from '@baton/contracts'
import { decodePack, encodePack, packFlow } from './flow-pack.ts'
import { readTar, writeTar } from './tar.ts'

const FLOW = `flow: shop/reply@1.2.0
input:
  text: string
steps:
  - answer: { prompt: reply@1, with: { text: =input.text }, returns: reply@1 }
`
const files = new Map([
  ['prompts/reply@2.md', 'Not used {{ text }}'],
  ['flow.yaml', FLOW],
  ['prompts/reply@1.md', 'Reply to {{ text }} in Köln'],
  ['schemas/reply@1.json', '{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"]}'],
  ['knowledge/prices.md', 'secret'],
])
const source = { files, entry: 'flow.yaml' }
const faultOf = (content: Buffer): { code: string; message: string } => {
  try {
    decodePack(content)
  } catch (error) {
    return toFault(error).data
  }
  throw new Error('the pack was read')
}

describe('a packed flow', () => {
  it('holds exactly the files its plan was made of', () => {
    const { manifest } = packFlow(source)
    expect(manifest).toMatchObject({ flow: 'shop/reply', version: '1.2.0', entry: 'flow.yaml', plan: expect.stringMatching(/^sha256:/) })
    expect(Object.keys(manifest.files)).toEqual(['flow.yaml', 'prompts/reply@1.md', 'schemas/reply@1.json'])
  })

  it('K1: has the same bytes and hash whatever the order and the other files of the folder', () => {
    const first = packFlow(source)
    const second = packFlow({
      files: new Map([...files].toReversed().filter(([path]) => path !== 'knowledge/prices.md')),
      entry: 'flow.yaml',
    })
    expect(second.hash).toBe(first.hash)
    for (const kind of ['json', 'tgz'] as const) expect(encodePack(second, kind).equals(encodePack(first, kind))).toBe(true)
    expect(encodePack(first, 'tgz')[9]).toBe(255)
    expect(packFlow({ ...source, files: new Map([...files, ['prompts/reply@1.md', 'Answer {{ text }}']]) }).hash).not.toBe(first.hash)
  })

  it.each(['json', 'tgz'] as const)('K2: is read back from %s', (kind) => {
    const pack = packFlow(source)
    expect(decodePack(encodePack(pack, kind))).toEqual(pack)
  })

  it('K2: a changed file, an added file, a cut archive and a wrong manifest are refused', () => {
    const pack = packFlow(source)
    const json = encodePack(pack, 'json').toString('utf8')
    expect(faultOf(Buffer.from(json.replace('Reply to', 'Insult')))).toMatchObject({
      code: 'request.malformed',
      message: expect.stringContaining('not what was packed'),
    })
    const more = { ...JSON.parse(json), files: { ...JSON.parse(json).files, 'extra.md': 'x' } }
    expect(faultOf(Buffer.from(JSON.stringify(more))).message).toContain('other files')
    expect(faultOf(Buffer.from(json.replace(/"plan": "sha256:../, '"plan": "sha256:00'))).message).toMatch(/another plan/)
    const archive = encodePack(pack, 'tgz')
    expect(faultOf(archive.subarray(0, 200)).code).toBe('request.malformed')
    expect(faultOf(gzipSync(gunzipSync(archive).subarray(0, 900))).message).toMatch(/cut|no baton.pack.json/)
    expect(faultOf(Buffer.from('{')).code).toBe('request.malformed')
    expect(faultOf(Buffer.from('')).code).toBe('request.malformed')
  })

  it('K2: no file leads out of the folder, and a small archive never fills the memory', () => {
    expect(() => readTar(writeTar(new Map([['../../etc/passwd', Buffer.from('x')]])))).toThrow(/leads out/)
    expect(faultOf(gzipSync(Buffer.alloc(40_000_000)))).toMatchObject({ code: 'request.malformed' })
  })

  it('a flow with mistakes is not packed', () => {
    expect(() => packFlow({ files: new Map([['flow.yaml', 'steps: 1']]), entry: 'flow.yaml' })).toThrow(/mistakes/)
  })
})
