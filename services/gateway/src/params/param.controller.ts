import { Controller, Get, Headers, Inject, Param, Put, Query } from '@nestjs/common'
import { z } from 'zod'
import { DEFAULT_TENANT } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import type { ParamChange } from '@baton/store'
import type { FlowCatalog } from '../flows/flow-catalog.ts'
import { announce } from '../flows/flow-publisher.ts'
import { CATALOG } from '../tokens.ts'
import { requireFittingValues, scopeOf, settingsOf, type ParamSetting } from './param-settings.ts'

const VALUES_MAX = 100
const TEXT_MAX = 1_000
const HISTORY_MAX = 200

/** Values to set; null takes an override away. */
export const ParamsBody = z.looseObject({
  values: z
    .record(z.string().min(1).max(128), z.union([z.number(), z.string().max(TEXT_MAX), z.boolean(), z.null()]))
    .refine((values) => Object.keys(values).length <= VALUES_MAX, `at most ${VALUES_MAX} values`),
  tenant: z.string().max(63).optional().meta({ description: 'Only for this tenant' }),
  env: z.string().max(63).optional().meta({ description: 'Only in this environment' }),
  by: z.string().min(1).max(200).optional(),
  reason: z.string().max(TEXT_MAX).optional(),
})
type ParamsBody = z.infer<typeof ParamsBody>

export type ParamsView = {
  readonly flow: string
  readonly version: string
  readonly tenant: string
  readonly env: string
  readonly params: readonly ParamSetting[]
}

@Controller('v1/params')
export class ParamController {
  readonly #platform: Platform
  readonly #catalog: FlowCatalog

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(CATALOG) catalog: FlowCatalog) {
    this.#platform = platform
    this.#catalog = catalog
  }

  /** The values that stand for a tenant in an environment, by default that of this installation. */
  @Get(':namespace/:name')
  async show(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query() query: { tenant?: string; env?: string },
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<ParamsView> {
    const env = query.env ?? this.#platform.config.environment ?? ''
    return this.#view(`${namespace}/${name}`, scopeOf({ caller: tenantOf(header), environment: env, ...tenantIn(query.tenant) }))
  }

  @Get(':namespace/:name/history')
  async history(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query() query: { tenant?: string; env?: string },
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<{ flow: string; items: readonly ParamChange[] }> {
    const flow = `${namespace}/${name}`
    const caller = tenantOf(header)
    const scope = scopeOf({ caller, ...tenantIn(query.tenant) })
    const items = await this.#platform.stores.params.history({
      flow,
      limit: HISTORY_MAX,
      ...(scope.tenant === '' ? {} : { tenant: scope.tenant }),
      ...(query.env === undefined ? {} : { environment: query.env }),
    })
    return { flow, items }
  }

  /** Changes params; 422 `params.invalid` for what the current version cannot take. New runs see it at once. */
  @Put(':namespace/:name')
  async set(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @ValidBody(ParamsBody) body: ParamsBody,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<ParamsView & { changed: number }> {
    const flow = `${namespace}/${name}`
    const scope = scopeOf({
      caller: tenantOf(header),
      ...tenantIn(body.tenant),
      ...(body.env === undefined ? {} : { environment: body.env }),
    })
    const { plan } = await this.#catalog.find(scope.tenant === '' ? DEFAULT_TENANT : scope.tenant, flow)
    requireFittingValues(plan, body.values)
    const { stores, bus } = this.#platform
    const { changed } = await stores.params.set({ flow, ...scope, values: body.values, by: body.by ?? 'http', reason: body.reason ?? '' })
    if (changed > 0) {
      this.#catalog.forget()
      await announce(bus, `params/${flow}/${scope.tenant}/${scope.environment}`, { flow, ...scope })
    }
    return { ...(await this.#view(flow, scope)), changed }
  }

  async #view(flow: string, { tenant, environment }: { tenant: string; environment: string }): Promise<ParamsView> {
    const { plan } = await this.#catalog.find(tenant === '' ? DEFAULT_TENANT : tenant, flow)
    const layers = await this.#platform.stores.params.overrides({ flow, tenant, environment })
    return { flow, version: plan.version, tenant, env: environment, params: settingsOf(plan, layers) }
  }
}

const tenantIn = (tenant: string | undefined): { tenant?: string } => (tenant === undefined ? {} : { tenant })
