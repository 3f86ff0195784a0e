// MCP servers over HTTP: which there are, what of their tools changed, and who accepts it (C13).
import { Controller, Get, Headers, HttpCode, Inject, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import { PLATFORM, ValidBody, ValidQuery, type Platform } from '@baton/service'
import type { KnownTool } from './definition.repository.ts'
import { changesBetween, type Change } from './fingerprint.policy.ts'
import type { McpSource, Refreshed, ServerView } from './mcp-source.ts'

/** Token of the MCP servers. */
export const MCP = Symbol('mcp')

const USER_HEADER = 'x-baton-user'
const ToolName = z
  .string()
  .min(3)
  .max(300)
  .regex(/^[^/]+\/.+$/, 'SERVER/TOOL')
const ChangesQuery = z.object({ tool: ToolName.optional() })
const RefreshBody = z.object({ server: z.string().min(1).max(40).optional() }).optional()
const AcceptBody = z.object({
  tool: ToolName,
  /** What was looked at; a tool that changed again is not accepted with it. */
  fingerprint: z.string().length(64),
  principal: z.string().max(63).default(''),
  by: z.string().min(1).max(200).optional(),
})

type ChangeView = {
  readonly tool: string
  readonly principal: string
  readonly fingerprint: string
  /** Absent: never accepted. */
  readonly accepted?: { readonly fingerprint: string; readonly by: string; readonly atMs: number }
  readonly seenAtMs: number
  readonly changes: readonly Change[]
}

const splitName = (name: string): { server: string; tool: string } => {
  const at = name.indexOf('/')
  return { server: name.slice(0, at), tool: name.slice(at + 1) }
}

const viewOf = (row: KnownTool): ChangeView => ({
  tool: `${row.server}/${row.tool}`,
  principal: row.principal,
  fingerprint: row.seen,
  ...(row.accepted === null ? {} : { accepted: { fingerprint: row.accepted, by: row.acceptedBy ?? '', atMs: row.acceptedAtMs ?? 0 } }),
  seenAtMs: row.seenAtMs,
  changes: changesBetween(row.acceptedDefinition ?? undefined, row.seenDefinition),
})

@Controller('v1/tools')
export class McpController {
  readonly #mcp: McpSource
  readonly #platform: Platform

  constructor(@Inject(MCP) mcp: McpSource, @Inject(PLATFORM) platform: Platform) {
    this.#mcp = mcp
    this.#platform = platform
  }

  @Get('servers')
  servers(): { items: readonly ServerView[] } {
    return { items: this.#mcp.servers() }
  }

  /** Tools that are off until somebody accepts them. */
  @Get('changes')
  async changes(@ValidQuery(ChangesQuery) { tool }: z.infer<typeof ChangesQuery>): Promise<{ items: readonly ChangeView[] }> {
    const rows = await this.#mcp.store.find(tool === undefined ? {} : splitName(tool))
    return { items: rows.filter(({ accepted, seen }) => accepted !== seen).map(viewOf) }
  }

  @Post('refresh')
  @HttpCode(200)
  async refresh(@ValidBody(RefreshBody) body: z.infer<typeof RefreshBody>): Promise<{ items: readonly Refreshed[] }> {
    return { items: await this.#mcp.refresh(body?.server) }
  }

  @Post('accept')
  @HttpCode(200)
  async accept(
    @Headers(USER_HEADER) user: string | undefined,
    @ValidBody(AcceptBody) body: z.infer<typeof AcceptBody>,
  ): Promise<ChangeView> {
    const by = user ?? body.by
    if (by === undefined || by === '') throw new Fault('request.malformed', 'by: who accepts it?', { field: 'by' })
    const { server, tool } = splitName(body.tool)
    const { fingerprint, principal } = body
    const done = await this.#mcp.store.accept({ server, tool, principal, fingerprint, by: by.slice(0, 200), atMs: this.#platform.nowMs() })
    const row = (await this.#mcp.store.find({ server, tool })).find((known) => known.principal === principal)
    if (row === undefined) throw new Fault('request.not_found', `no tool ${body.tool} was ever seen`, { tool: body.tool })
    if (!done) throw new Fault('request.conflicting', `${body.tool} changed again since you looked at it`, { tool: body.tool })
    this.#platform.telemetry.logger.info({ tool: body.tool, fingerprint, by }, 'a tool was accepted')
    return viewOf(row)
  }
}
