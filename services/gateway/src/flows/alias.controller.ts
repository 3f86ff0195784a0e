// Aliases over HTTP: where they point, moving them, and going back.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common'
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import type { Plan } from '@baton/flow'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import type { AliasMove } from '@baton/store'
import { requireFittingParams } from '../params/param-settings.ts'
import { CATALOG, TRIGGERS } from '../tokens.ts'
import { refuseTakenPaths } from '../triggers/taken-paths.ts'
import type { Triggers } from '../triggers/triggers.ts'
import { DEFAULT_ALIAS, type FlowCatalog } from './flow-catalog.ts'
import { announce, flowKey } from './flow-publisher.ts'

const alias = z.string().regex(/^[a-z][a-z0-9._-]{0,62}$/, 'may hold small letters, digits, dot, dash and underscore')
const by = z.string().min(1).max(200).optional()
const reason = z.string().max(1_000).optional()

/** An alias to move to a published version. */
export const AliasBody = z.looseObject({ alias, version: z.string().min(1).max(128), by, reason })
/** An alias to move back. */
export const RollbackBody = z.looseObject({ alias: alias.default(DEFAULT_ALIAS), by, reason }).nullish()
type AliasBody = z.infer<typeof AliasBody>
type RollbackBody = z.infer<typeof RollbackBody>

const HISTORY_MAX = 200

export type AliasMoved = { readonly flow: string; readonly alias: string; readonly version: string; readonly hash: string }

@Controller('v1/aliases')
export class AliasController {
  readonly #platform: Platform
  readonly #catalog: FlowCatalog
  readonly #triggers: Triggers

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(CATALOG) catalog: FlowCatalog, @Inject(TRIGGERS) triggers: Triggers) {
    this.#platform = platform
    this.#catalog = catalog
    this.#triggers = triggers
  }

  /** Moves of the aliases of a flow, newest first. */
  @Get(':namespace/:name')
  async history(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query('alias') of: string | undefined,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<{ flow: string; items: readonly AliasMove[] }> {
    const flow = `${namespace}/${name}`
    const items = await this.#platform.stores.aliases.history({
      tenant: tenantOf(header),
      flow,
      limit: HISTORY_MAX,
      ...(of === undefined ? {} : { alias: of }),
    })
    return { flow, items }
  }

  /** Moves an alias. Refused where an override of a param does not fit the version. */
  @Put(':namespace/:name')
  async move(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @ValidBody(AliasBody) body: AliasBody,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<AliasMoved & { changed: boolean }> {
    const flow = `${namespace}/${name}`
    const tenant = tenantOf(header)
    const { stores } = this.#platform
    const found = await stores.flows.resolve({ tenant, flow, at: body.version })
    const text = found === undefined ? undefined : await stores.flows.plan(found.hash)
    if (text !== undefined) {
      const plan: Plan = JSON.parse(text)
      await requireFittingParams(stores, plan, tenant)
      await refuseTakenPaths(stores, { tenant, alias: body.alias, plan })
    }
    const moved = await stores.aliases.move({ tenant, flow, alias: body.alias, version: body.version, ...whoOf(body) })
    if (moved.changed) await this.#tell(tenant, { flow, alias: body.alias, version: moved.version, hash: moved.hash })
    return { flow, alias: body.alias, ...moved }
  }

  /** Moves an alias back to where it was before its last move. */
  @Post(':namespace/:action')
  @HttpCode(200)
  async rollback(
    @Param('namespace') namespace: string,
    @Param('action') action: string,
    @ValidBody(RollbackBody) body: RollbackBody,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<AliasMoved & { from: string }> {
    if (!action.endsWith(':rollback')) throw new Fault('request.not_found', `aliases have no action ${action}`, { field: 'action' })
    const flow = `${namespace}/${action.slice(0, -':rollback'.length)}`
    const tenant = tenantOf(header)
    const target = { tenant, flow, alias: body?.alias ?? DEFAULT_ALIAS, ...whoOf(body ?? {}) }
    const moved = await this.#platform.stores.aliases.rollback(target)
    await this.#tell(tenant, { flow, alias: target.alias, version: moved.version, hash: moved.hash })
    return { flow, alias: target.alias, ...moved }
  }

  async #tell(tenant: string, moved: AliasMoved): Promise<void> {
    this.#catalog.forget()
    await this.#triggers.settle()
    await announce(this.#platform.bus, flowKey(tenant, moved.flow), { tenant, ...moved, changed: true })
  }
}

const whoOf = ({ by, reason }: { by?: string | undefined; reason?: string | undefined }): { by: string; reason: string } => ({
  by: by ?? 'http',
  reason: reason ?? '',
})
