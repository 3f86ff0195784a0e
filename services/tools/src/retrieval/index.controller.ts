import { Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault, type Json, type JsonObject } from '@baton/contracts'
import { ValidBody, ValidQuery } from '@baton/service'
import { TENANT_HEADER, tenantOf } from '../tenant.ts'
import type { Others } from './external/ask-others.ts'
import { SearchArgs, searchOptionsOf, TOP_MAX } from './passages.ts'
import { QUERY_CHARS_MAX, type Added, type Passage, type SearchIndex } from './search-index.repository.ts'
import type { KnownDocument } from './search-documents.repository.ts'

/** Tokens of the search indexes: our own, and those of others. */
export const SEARCH_INDEXES = Symbol('search indexes')
export const OTHERS = Symbol('search indexes of others')

const PAGE_MAX = 1_000
const DocumentBody = z.object({
  id: z.string().min(1).max(512),
  title: z.string().max(1_000).default(''),
  text: z.string().max(1_000_000),
  meta: z.record(z.string(), z.custom<Json>()).optional(),
  source: z.string().max(2_000).optional(),
  sourceAtMs: z.number().int().nonnegative().optional(),
})
const ModelName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/)
const DocumentsBody = z.object({ documents: z.array(DocumentBody).min(1).max(1_000), embed: ModelName.optional() })
const RemoveBody = z.object({ ids: z.array(z.string().min(1).max(512)).min(1).max(PAGE_MAX) })
const SearchQuery = z.object({
  query: z.string().min(1).max(QUERY_CHARS_MAX),
  top: z.coerce.number().int().min(1).max(TOP_MAX).default(5),
  mode: z.enum(['text', 'vector', 'hybrid']).optional(),
})
const DocumentsQuery = z.object({
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(200),
  source: z.string().max(2_000).optional(),
})

const indexName = (name: string): string => {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name))
    throw new Fault('request.malformed', 'name: lower case letters, digits, dot, dash and underscore', { field: 'name' })
  return name
}

/** Filling and asking indexes over HTTP: `baton index`. */
@Controller('v1/indexes')
export class IndexController {
  readonly #indexes: SearchIndex
  readonly #others: Others

  constructor(@Inject(SEARCH_INDEXES) indexes: SearchIndex, @Inject(OTHERS) others: Others) {
    this.#indexes = indexes
    this.#others = others
  }

  @Get()
  async list(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<{ items: readonly unknown[] }> {
    return { items: [...(await this.#indexes.list(tenantOf(tenant))), ...this.#others.list()] }
  }

  @Post(':name/documents')
  @HttpCode(200)
  add(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidBody(DocumentsBody) { documents, embed }: z.infer<typeof DocumentsBody>,
  ): Promise<Added> {
    if (this.#others.has(name))
      throw new Fault('request.conflicting', `${name} is kept by somebody else (retrievers.yaml)`, { field: 'name' })
    const read = documents.map(({ meta, ...document }) => ({ ...document, meta: meta as JsonObject | undefined }))
    return this.#indexes.add({ tenant: tenantOf(tenant), index: indexName(name), documents: read, embed })
  }

  @Get(':name/documents')
  async documents(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidQuery(DocumentsQuery) { after, source, limit }: z.infer<typeof DocumentsQuery>,
  ): Promise<{ items: readonly KnownDocument[]; next: string | null }> {
    const items = await this.#indexes.documents({
      tenant: tenantOf(tenant),
      index: indexName(name),
      limit,
      ...(after === undefined ? {} : { after }),
      ...(source === undefined ? {} : { source }),
    })
    return { items, next: items.length < limit ? null : (items.at(-1)?.id ?? null) }
  }

  @Post(':name/remove')
  @HttpCode(200)
  remove(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidBody(RemoveBody) { ids }: z.infer<typeof RemoveBody>,
  ): Promise<{ removed: number; chunks: number }> {
    return this.#indexes.remove({ tenant: tenantOf(tenant), index: indexName(name), ids })
  }

  @Post(':name/drop')
  @HttpCode(200)
  async drop(@Headers(TENANT_HEADER) tenant: string | undefined, @Param('name') name: string): Promise<{ dropped: string }> {
    await this.#indexes.drop({ tenant: tenantOf(tenant), index: indexName(name) })
    return { dropped: name }
  }

  @Get(':name/search')
  async search(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidQuery(SearchQuery) query: z.infer<typeof SearchQuery>,
  ): Promise<{ items: readonly Passage[] }> {
    return { items: await this.#search(tenantOf(tenant), name, query) }
  }

  /** As GET, for long questions and filters. */
  @Post(':name/search')
  @HttpCode(200)
  async ask(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('name') name: string,
    @ValidBody(SearchArgs) args: SearchArgs,
  ): Promise<{ items: readonly Passage[] }> {
    return { items: await this.#search(tenantOf(tenant), name, args) }
  }

  #search(tenant: string, name: string, args: SearchArgs): Promise<readonly Passage[]> {
    const index = indexName(name)
    return this.#others.has(index)
      ? this.#others.search({ tenant, index, args })
      : this.#indexes.search({ ...searchOptionsOf(args), tenant, index })
  }
}
