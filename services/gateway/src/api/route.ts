// What a route says of itself, for the OpenAPI document.

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description: string
}
export type Route = {
  readonly method: 'get' | 'post' | 'put' | 'patch'
  readonly path: string
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly body?: string
  readonly answers: Readonly<Record<number, { readonly about: string; readonly schema?: string; readonly type?: string }>>
}

export const query = (name: string, description: string): Parameter => ({ name, in: 'query', description })
export const path = (name: string, description: string): Parameter => ({ name, in: 'path', required: true, description })
export const json = (about: string, schema?: string): Route['answers'] => ({ 200: schema === undefined ? { about } : { about, schema } })
export const RUN_ID = path('id', 'Id of the run')
export const IDEMPOTENCY_KEY: Parameter = { name: 'Idempotency-Key', in: 'header', description: 'The same key is the same change' }
