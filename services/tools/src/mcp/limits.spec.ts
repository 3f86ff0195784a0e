import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { boundedFetch } from './bounded-fetch.adapter.ts'
import { createLineReader } from './line-reader.ts'
import { parameterHeaders } from './parameter-headers.policy.ts'
import { createRateWatch } from './rate-watch.ts'

describe('lines of a pipe', () => {
  it('R1: are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/[\r\n]/g, '')),
          { maxLength: 8 },
        ),
        fc.array(fc.nat(40)),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
          const reader = createLineReader(100_000)
          const seen: string[] = []
          let from = 0
          for (const cut of [...cuts, bytes.length]) {
            seen.push(...reader.take(bytes.subarray(from, from + cut)))
            from += cut
          }
          expect(seen).toEqual(lines)
        },
      ),
    )
  })

  it('R1: are never longer than the limit', () => {
    const reader = createLineReader(10)
    expect(reader.take(Buffer.from('123456789\r\n'))).toEqual(['123456789'])
    expect(() => reader.take(Buffer.from('12345678901'))).toThrow('longer than 10')
  })
})

describe('messages in a second', () => {
  it('P1: are counted anew each second', () => {
    let nowMs = 0
    const within = createRateWatch(2, () => nowMs)
    expect([within(), within(), within()]).toEqual([true, true, false])
    nowMs = 1_000
    expect(within()).toBe(true)
  })
})

describe('a bounded fetch', () => {
  const limits = { messageBytesMax: 20, messagesPerSecondMax: 3, refused: () => undefined }
  const answering = (body: string, type: string) =>
    boundedFetch(limits, () => Promise.resolve(new Response(body, { headers: { 'content-type': type } })))
  const textOf = async (body: string, type: string): Promise<string> => (await answering(body, type)('http://x.example')).text()

  it('B1: lets an answer pass up to the limit, and each event of a stream on its own', async () => {
    expect(await textOf('x'.repeat(20), 'application/json')).toHaveLength(20)
    await expect(textOf('x'.repeat(21), 'application/json')).rejects.toThrow('more than 20 bytes')
    expect(await textOf('data: 1234567890\n\ndata: 1234567890\r\n\r\n', 'text/event-stream')).toHaveLength(38)
    await expect(textOf(`data: ${'x'.repeat(20)}\n\n`, 'text/event-stream')).rejects.toThrow('more than 20 bytes')
  })

  it('B2: lets no more events pass in a second than allowed', async () => {
    expect(await textOf('data: 1\n\n'.repeat(3), 'text/event-stream')).toHaveLength(27)
    await expect(textOf('data: 1\n\n'.repeat(4), 'text/event-stream')).rejects.toThrow('more than 3 messages')
  })
})

describe('headers of arguments', () => {
  it('are those that the schema wants, encoded where they are not plain', () => {
    const schema = {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        deep: { type: 'object', properties: { n: { type: 'number', 'x-mcp-header': 'N' } } },
        other: { type: 'string' },
        odd: { type: 'string', 'x-mcp-header': 'no good' },
      },
    }
    expect(parameterHeaders(schema, { region: 'eu west', deep: { n: 3 }, other: 'x', odd: 'x' })).toEqual({
      'Mcp-Param-Region': 'eu west',
      'Mcp-Param-N': '3',
    })
    expect(parameterHeaders(schema, { region: 'Köln' })).toEqual({ 'Mcp-Param-Region': '=?base64?S8O2bG4=?=' })
    expect(parameterHeaders(schema, { region: null })).toEqual({})
  })
})
