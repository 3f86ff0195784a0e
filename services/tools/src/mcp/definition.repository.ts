// What the tools of servers were when they were accepted, and what they are now (C13).
//   D1. What is seen replaces only what was seen before; what was accepted changes by an acceptance alone.
//   D2. An acceptance names the fingerprint it accepts: what changed again in the meantime is not accepted with it.
//   D3. Every acceptance is kept, with who and when.
import type { Json } from '@baton/contracts'
import type { Database } from '@baton/store'
import { fingerprintOf, type Definition } from './fingerprint.policy.ts'

export type KnownTool = {
  readonly server: string
  readonly principal: string
  readonly tool: string
  readonly accepted: string | null
  readonly acceptedDefinition: Definition | null
  readonly acceptedBy: string | null
  readonly acceptedAtMs: number | null
  readonly seen: string
  readonly seenDefinition: Definition
  readonly seenAtMs: number
}
type Seen = {
  readonly server: string
  readonly principal: string
  readonly definitions: readonly Definition[]
  readonly atMs: number
}
type Acceptance = {
  readonly server: string
  readonly principal: string
  readonly tool: string
  readonly fingerprint: string
  readonly by: string
  readonly atMs: number
}

export type DefinitionStore = {
  /** Keeps what a server has now, and gives all that is known of its tools. With `acceptedBy` what was never seen before counts as accepted. */
  readonly see: (seen: Seen, acceptedBy?: string) => Promise<readonly KnownTool[]>
  readonly find: (of: { server?: string | undefined; tool?: string | undefined }) => Promise<readonly KnownTool[]>
  /** False where the tool is not what was looked at (D2). */
  readonly accept: (acceptance: Acceptance) => Promise<boolean>
}

type Row = Omit<KnownTool, 'acceptedDefinition' | 'seenDefinition' | 'acceptedAtMs' | 'seenAtMs'> & {
  readonly acceptedDefinition: string | null
  readonly seenDefinition: string
  readonly acceptedAtMs: string | null
  readonly seenAtMs: string
}

const FIELDS = `server, principal, tool, accepted, accepted_definition as "acceptedDefinition", accepted_by as "acceptedBy",
  accepted_at_ms as "acceptedAtMs", seen, seen_definition as "seenDefinition", seen_at_ms as "seenAtMs"`

/** Written by this store. */
const parsed = (text: string): Definition => JSON.parse(text) as Definition & Json

const knownOf = (row: Row): KnownTool => ({
  ...row,
  acceptedDefinition: row.acceptedDefinition === null ? null : parsed(row.acceptedDefinition),
  seenDefinition: parsed(row.seenDefinition),
  acceptedAtMs: row.acceptedAtMs === null ? null : Number(row.acceptedAtMs),
  seenAtMs: Number(row.seenAtMs),
})

const seeOne = `insert into mcp_tools (server, principal, tool, accepted, accepted_definition, accepted_by, accepted_at_ms, seen, seen_definition, seen_at_ms)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  on conflict (server, principal, tool) do update set seen = $8, seen_definition = $9, seen_at_ms = $10
  where mcp_tools.seen <> $8`

/** The store of definitions in the tables of the tools service. */
export const definitionStore = (db: Database): DefinitionStore => {
  const find: DefinitionStore['find'] = async ({ server, tool }) => {
    const { rows } = await db.query<Row>(
      `select ${FIELDS} from mcp_tools where ($1::text is null or server = $1) and ($2::text is null or tool = $2) order by server, tool, principal`,
      [server ?? null, tool ?? null],
      { name: 'mcp-tools' },
    )
    return rows.map(knownOf)
  }
  return {
    find,
    see: async ({ server, principal, definitions, atMs }, acceptedBy) => {
      const known = new Map((await find({ server })).filter((row) => row.principal === principal).map((row) => [row.tool, row.seen]))
      for (const definition of definitions) {
        const seen = fingerprintOf(definition)
        if (known.get(definition.name) === seen) continue
        const text = JSON.stringify(definition)
        const accepted = acceptedBy === undefined ? [null, null, null, null] : [seen, text, acceptedBy, atMs]
        await db.query(seeOne, [server, principal, definition.name, ...accepted, seen, text, atMs], { name: 'mcp-see' }) // D1
      }
      return (await find({ server })).filter((row) => row.principal === principal)
    },
    accept: ({ server, principal, tool, fingerprint, by, atMs }) =>
      db.transaction(async (tx) => {
        const { rows } = await tx.query<{ accepted: string | null }>(
          'select accepted from mcp_tools where server = $1 and principal = $2 and tool = $3 and seen = $4 for update',
          [server, principal, tool, fingerprint],
        )
        const [row] = rows
        if (row === undefined) return false // D2
        await tx.query(
          `update mcp_tools set accepted = seen, accepted_definition = seen_definition, accepted_by = $4, accepted_at_ms = $5
           where server = $1 and principal = $2 and tool = $3`,
          [server, principal, tool, by, atMs],
        )
        await tx.query(
          'insert into mcp_acceptances (server, principal, tool, fingerprint, before, by, at_ms) values ($1, $2, $3, $4, $5, $6, $7)',
          [server, principal, tool, fingerprint, row.accepted, by, atMs],
        ) // D3
        return true
      }),
  }
}
