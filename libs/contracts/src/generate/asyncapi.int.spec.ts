import { describe, expect, it } from '@jest/globals'
import { Parser } from '@asyncapi/parser'
import { contractNames, wireType } from '../registry.ts'
import { asyncApiDocument } from './asyncapi.ts'

// Loading the parser takes a second, so this is not a unit spec.
describe('the AsyncAPI document', () => {
  it('is valid AsyncAPI 3.1, examples included, and holds every message', async () => {
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()))
    expect(diagnostics.filter(({ severity }) => severity <= 1).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([])
    expect(document?.version()).toBe('3.1.0')
    const names = document
      ?.allMessages()
      .all()
      .map((message) => message.name())
    expect(new Set(names)).toEqual(new Set(contractNames().map(wireType)))
  }, 60_000)
})
