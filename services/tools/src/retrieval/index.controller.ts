import { Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault, type Json, type JsonObject } from '@baton/contracts'
import { ValidBody, ValidQuery } from '@baton/service'
import { TENANT_HEADER, tenantOf } from '../tenant.ts'
import { TOP_MAX } from './retrieval.consumer.ts'
import { QUERY_CHARS_MAX, type Added, type Passage, type SearchIndex } from './search-index.repository.ts'

/** Token of the search indexes. */
export const SEARCH_INDEXES = Symbol('search indexes')

const DocumentBody = z.object({
  id: z.string().min(1).max(512),
  title: z.string().max(1_000).default(''),
  text: z.string().max(1_000_000),
  meta: z.record(z.string(), z.custom<Json>()).optional(),
})
const DocumentsBody = z.object({ documents: z.array(DocumentBody).min(1).max(1_000) })
const SearchQuery = z.object({ query: z.string().min(1).max(QUERY_CHARS_MAX), top: z.coerce.number().int().min(1).max(TOP_MAX).default(5) })

const indexName = (name: string): string => {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name))
    throw new Fault('request.malformed', 'name: lower case letters, digits, dot, dash and underscore', { field: 'name' })
  return name
}

/** Filling and asking indexes over HTTP: `baton index add|search`. */
@Controller('v1/indexes')
export class IndexController {
  readonly #indexes: SearchIndex

  constructor(@Inject(SEARCH_INDEXES) indexes: SearchIndex) {
    this.#indexes = indexes
  }

  @Get()
  async list(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<{ items: readonly unknown[] }> {
    return { items: await this.#indexes.list(tenantOf(tenant)) }
  }

  @Post(':name/documents')
  @HttpCode(200)
  add(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidBody(DocumentsBody) body: z.infer<typeof DocumentsBody>,
  ): Promise<Added> {
    const documents = body.documents.map(({ id, title, text, meta }) => ({ id, title, text, meta: meta as JsonObject | undefined }))
    return this.#indexes.add({ tenant: tenantOf(tenant), index: indexName(name), documents })
  }

  @Get(':name/search')
  async search(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidQuery(SearchQuery) { query, top }: z.infer<typeof SearchQuery>,
  ): Promise<{ items: readonly Passage[] }> {
    return { items: await this.#indexes.search({ tenant: tenantOf(tenant), index: indexName(name), query, top }) }
  }
}
