// Runs over HTTP: the list, one run, its trace, and the payloads it refers to.
import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common'
import { Fault } from '@baton/contracts'
import { PLATFORM, ValidQuery, type Platform } from '@baton/service'
import { z } from 'zod'
import { cursorOf, placeOf } from './cursor.ts'
import { findResult, findRun, listRuns } from './run.queries.ts'
import { readTrace } from './run-trace.ts'
import { TENANT_HEADER, tenantOf } from './tenant.ts'
import { refersTo } from './trace.queries.ts'
import { runControls, runReasons } from './why.queries.ts'

const Label = z.string().regex(/^[^:=]{1,64}[:=].{0,256}$/s, 'a label is written key:value')
const RunId = z.string().min(1).max(100)
const ListQuery = z.object({
  flow: z.string().max(200).optional(),
  status: z.enum(['open', 'running', 'paused', 'waiting', 'completed', 'failed', 'cancelled']).optional(),
  label: z.union([Label, z.array(Label).max(10)]).optional(),
  root: RunId.optional(),
  parent: RunId.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})
const TraceQuery = z.object({
  under: z.string().min(1).max(1_000).optional(),
  after: z.coerce.number().int().min(0).max(1_000_000).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(200),
})

const labelsOf = (label: z.infer<typeof ListQuery>['label']): Record<string, string> => {
  const labels: Record<string, string> = {}
  for (const text of label === undefined ? [] : [label].flat()) {
    const at = text.search(/[:=]/)
    labels[text.slice(0, at)] = text.slice(at + 1)
  }
  return labels
}

/** What the handler does with a reply that is not JSON. */
type RawReply = { header(name: string, value: string): RawReply; send(body: Buffer): unknown }

@Controller('v1/runs')
export class RunController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  /** Newest first; `nextCursor` goes on where the page ended, null at the end. */
  @Get()
  async list(@Headers(TENANT_HEADER) tenant: string | undefined, @ValidQuery(ListQuery) query: z.infer<typeof ListQuery>): Promise<object> {
    const { cursor, label, ...filter } = query
    const after = cursor === undefined ? undefined : placeOf(cursor)
    const items = await listRuns(this.#platform.db, { ...filter, tenant: tenantOf(tenant), labels: labelsOf(label), after })
    const last = items.at(-1)
    return { items, nextCursor: last !== undefined && items.length === filter.limit ? cursorOf(last) : null }
  }

  /** One run: with its result when it has one, why it stands where it stands when it did not complete, and who held or changed it. */
  @Get(':id')
  async show(@Headers(TENANT_HEADER) tenant: string | undefined, @Param('id') runId: string): Promise<object> {
    const key = { tenant: tenantOf(tenant), runId }
    const { db } = this.#platform
    const [found, result, controls] = await Promise.all([this.#run(key), findResult(db, key), runControls(db, key)])
    return { ...found.run, why: await runReasons(db, found), controls, ...(result === undefined ? {} : { result }) }
  }

  /**
   * The steps of a run as a tree, with the critical path marked (G2), the runs they started, and what happened beside them. A level
   * shows `limit` children and says how many more there are: `under` and `after` go on there.
   */
  @Get(':id/trace')
  async trace(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('id') runId: string,
    @ValidQuery(TraceQuery) { under, after, limit }: z.infer<typeof TraceQuery>,
  ): Promise<object> {
    const { run } = await this.#run({ tenant: tenantOf(tenant), runId })
    return readTrace(this.#platform.db, run, { under, after, levelMax: limit })
  }

  /** Content that a step or the result refers to, as it was stored: redacted. */
  @Get(':id/payloads/:ref')
  async payload(
    @Headers(TENANT_HEADER) header: string | undefined,
    @Param('id') runId: string,
    @Param('ref') sha256: string,
    @Res() reply: RawReply,
  ): Promise<void> {
    const tenant = tenantOf(header)
    const { db, stores } = this.#platform
    if (!/^[0-9a-f]{64}$/.test(sha256) || !(await refersTo(db, { tenant, runId, sha256 })))
      throw new Fault('request.not_found', 'this run refers to no such payload', { runId })
    const { content, mediaType } = await stores.payloads.get({ tenant, sha256 })
    // Content of models and people must never run in a browser.
    reply
      .header('content-type', mediaType)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "default-src 'none'; sandbox")
      .send(content)
  }

  async #run(key: { tenant: string; runId: string }): Promise<NonNullable<Awaited<ReturnType<typeof findRun>>>> {
    const found = await findRun(this.#platform.db, key)
    if (found === undefined) throw new Fault('request.not_found', 'no run has this id', { runId: key.runId })
    return found
  }
}
