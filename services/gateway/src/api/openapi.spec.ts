import { describe, expect, it } from '@jest/globals'
import { openApiDocument } from './openapi.ts'

describe('OpenAPI document', () => {
  const text = JSON.stringify(openApiDocument())

  it('I2: describes the fixed paths', () => {
    for (const path of [
      '/v1/runs',
      '/v1/runs/{id}',
      '/v1/payloads',
      '/v1/runs/{id}/trace',
      '/v1/runs/{id}:cancel',
      '/v1/runs/{id}:pause',
      '/v1/runs/{id}:resume',
      '/v1/runs/{id}:retry',
      '/v1/runs:cancel',
      '/v1/jobs/{id}',
      '/v1/triggers',
      '/v1/triggers/{id}:pause',
      '/v1/reviews',
      '/v1/dead-letters:redrive',
      '/v1/flows/{name}',
      '/healthz',
      '/readyz',
      '/metrics',
    ]) {
      expect(text).toContain(`"${path}":`)
    }
  })
  it('has every schema that it refers to', () => {
    const { components } = openApiDocument() as { components: { schemas: Record<string, unknown> } }
    const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1] ?? '')
    expect(names.filter((name) => components.schemas[name] === undefined)).toEqual([])
  })
  it('gives every operation its own id', () => {
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
  })
})
