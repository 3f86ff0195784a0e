import { describe, expect, it } from '@jest/globals'
import { importedTools, withDocument } from './import-document.ts'
import { readOpenApi } from './openapi-read.policy.ts'

const read = readOpenApi({
  openapi: '3.1.0',
  info: { title: 'Shop' },
  security: [{ key: [] }],
  components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
  paths: { '/items': { get: { operationId: 'listItems', summary: 'All items', responses: {} }, post: { responses: {} } } },
})

describe('importing an OpenAPI document', () => {
  it('says what would become a tool', () => {
    expect(importedTools(read, 'shop')).toEqual([
      { name: 'shop/list_items', effect: 'read', operation: 'GET /items', about: 'All items' },
      { name: 'shop/post_items', effect: 'write', operation: 'POST /items', about: '' },
    ])
  })

  it('J1: adds an entry, keeps what is there, and writes no secret', () => {
    const before = '# Tools.\nmcp:\n  servers: {} # none yet\n'
    const after = withDocument(before, read, { name: 'shop', file: 'shop.yaml' })
    expect(after).toBe(
      `${before}openapi:\n  shop:\n    file: shop.yaml\n    auth:\n      key:\n        header:\n          name: X-Key\n          value:\n            env: SHOP_KEY\n`,
    )
    expect(withDocument(after, read, { name: 'shop', file: 'shop.yaml' })).toBe(after)
    expect(() => withDocument(after, read, { name: 'shop', file: 'other.yaml' })).toThrow(
      expect.objectContaining({ code: 'request.conflicting' }),
    )
    expect(withDocument('', read, { name: 'shop', file: 'a' })).toContain('shop:')
  })
})
