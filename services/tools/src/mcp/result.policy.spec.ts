import { describe, expect, it } from '@jest/globals'
import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client'
import { Fault } from '@baton/contracts'
import { jsonShape } from '../shape.ts'
import { ToolFailure } from '../tool-run.ts'
import { failureOf, toldReason } from './mcp-fault.policy.ts'
import { bytesOf, checkStructured, readResult, textOfBlocks } from './result.policy.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof ToolFailure ? error.fault.code : String(error)
  }
}

describe('the result of a call', () => {
  it('R1: structured content fits its schema, or the result is invalid', () => {
    const shape = jsonShape({ type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] }, 'add')
    const result = (structuredContent: object) => readResult('add', { content: [], structuredContent } as never)
    expect(checkStructured('add', result({ sum: 3 }), shape)).toEqual({ sum: 3 })
    expect(codeOf(() => checkStructured('add', result({ sum: '3' }), shape))).toBe('tool.result_invalid')
    expect(codeOf(() => checkStructured('add', readResult('add', { content: [] }), shape))).toBe('tool.result_invalid')
    expect(checkStructured('add', readResult('add', { content: [], isError: true }), shape)).toBeUndefined()
  })

  it('R2: text is joined, bytes are found wherever they lie', () => {
    const { blocks } = readResult('x', {
      content: [
        { type: 'text', text: 'a' },
        { type: 'image', data: 'AA==', mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'u', blob: 'AA==', mimeType: 'application/gzip' } },
        { type: 'text', text: 'b' },
      ],
    })
    expect(textOfBlocks(blocks)).toBe('a\nb')
    expect(blocks.map((block) => bytesOf(block)?.mediaType)).toEqual([undefined, 'image/png', 'application/gzip', undefined])
  })

  it.each([
    ['a word'],
    [{ content: 'x' }],
    [{ content: ['x'] }],
    [{ content: Array.from({ length: 1_001 }, () => ({ type: 'text', text: 'x' })) }],
  ])('R2: what is no result is refused', (result) => expect(codeOf(() => readResult('x', result))).toBe('tool.result_invalid'))
})

describe('what went wrong', () => {
  const of = { tool: 'crm/x', server: 'crm', secrets: ['hunter2-hunter2'] }
  it.each([
    ['nothing was sent', new SdkError(SdkErrorCode.NotConnected, 'Not connected'), 'tool.unreachable', true],
    ['the connection ended', new SdkError(SdkErrorCode.ConnectionClosed, 'closed'), 'tool.unreachable', false],
    ['no answer', new SdkError(SdkErrorCode.RequestTimeout, 'late'), 'tool.timed_out', false],
    ['an unknown method', new ProtocolError(-32_601, 'no'), 'tool.failed', true],
    ['an inner error of the server', new ProtocolError(-32_603, 'no'), 'tool.failed', false],
    ['a refused port', new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }), 'tool.unreachable', true],
    ['a fault of ours', new Fault('config.invalid', 'x'), 'config.invalid', true],
  ])('E1: %s', (_what, error, code, certain) => {
    const failure = failureOf(error, of)
    expect([failure.fault.code, failure.certain]).toEqual([code, certain])
  })

  it('E2: says why in few words, without secrets and people', () => {
    expect(toldReason(`token hunter2-hunter2 of\n jane@mail.example ${'x'.repeat(900)}`, of.secrets)).toMatch(
      /^token \[secret\] of \[email\] x+$/,
    )
    expect(toldReason('x'.repeat(900))).toHaveLength(300)
    expect(
      failureOf(new SdkError(SdkErrorCode.ConnectionClosed, 'Connection closed'), { ...of, why: 'ended with code 7' }).fault.message,
    ).toBe('crm/x: crm: ended with code 7')
  })
})
