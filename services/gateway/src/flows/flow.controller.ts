import { Controller, Get, Headers, Inject, Param, Put, Query } from '@nestjs/common'
import { z } from 'zod'
import type { Plan } from '@baton/flow'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import { CATALOG, TRIGGERS } from '../tokens.ts'
import type { Triggers } from '../triggers/triggers.ts'
import { parseFlowName, type FlowCatalog } from './flow-catalog.ts'
import { FLOW_FILE_BYTES_MAX } from './flow-files.adapter.ts'
import { publishFlow, type Published } from './flow-publisher.ts'

/** A flow to publish: its files as text by relative path. */
export const FlowBody = z.looseObject({
  files: z
    .record(z.string().min(1).max(512), z.string().max(FLOW_FILE_BYTES_MAX))
    .meta({ description: 'Text of each file by its path, flow.yaml among them' }),
  entry: z.string().min(1).max(512).default('flow.yaml'),
  alias: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
    .optional(),
  replace: z.boolean().optional().meta({ description: 'Whether a version that exists with other content may be replaced' }),
  by: z.string().max(200).optional(),
  plan: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional()
    .meta({ description: 'Hash that the compiled plan must have' }),
})
type FlowBody = z.infer<typeof FlowBody>

type FlowItem = {
  readonly flow: string
  readonly version: string
  readonly hash: string
  readonly aliases: readonly string[]
  readonly publishedAtMs: number
}

@Controller('v1/flows')
export class FlowController {
  readonly #platform: Platform
  readonly #catalog: FlowCatalog
  readonly #triggers: Triggers

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(CATALOG) catalog: FlowCatalog, @Inject(TRIGGERS) triggers: Triggers) {
    this.#platform = platform
    this.#catalog = catalog
    this.#triggers = triggers
  }

  @Get()
  async list(@Headers(TENANT_HEADER) tenant: string | undefined): Promise<{ items: readonly FlowItem[] }> {
    return { items: await this.#platform.stores.flows.list(tenantOf(tenant)) }
  }

  /** The plan behind a name; `?at=` a version or alias. */
  @Get('*')
  async show(
    @Param('*') name: string,
    @Query('at') at: string | undefined,
    @Headers(TENANT_HEADER) tenant: string | undefined,
  ): Promise<{ flow: string; version: string; hash: string; plan: Plan }> {
    const { plan } = await this.#catalog.find(tenantOf(tenant), at === undefined ? name : `${parseFlowName(name).flow}@${at}`)
    return { flow: plan.flow, version: plan.version, hash: plan.hash, plan }
  }

  /** Compiles and publishes; a mistake answers 422 with every diagnostic. The name in the path must be the flow's own. */
  @Put('*')
  async publish(
    @Param('*') name: string,
    @ValidBody(FlowBody) body: FlowBody,
    @Headers(TENANT_HEADER) tenant: string | undefined,
  ): Promise<Published> {
    const { files, entry, alias, replace, by, plan } = body
    const published = await publishFlow(this.#platform, {
      files: new Map(Object.entries(files)),
      entry,
      tenant: tenantOf(tenant),
      by: by ?? 'http',
      ...(alias === undefined ? {} : { alias }),
      ...(replace === undefined ? {} : { replace }),
      ...(plan === undefined ? {} : { plan }),
      expected: name,
    })
    this.#catalog.forget()
    await this.#triggers.settle()
    return published
  }
}
