import type { Migration } from '@baton/store'
import { mcp } from './mcp.ts'
import { permissions } from './permissions.ts'
import { search } from './search.ts'
import { searchVectors } from './search-vectors.ts'
import { sinks } from './sinks.ts'
import { support } from './support.ts'

/** Tables of this service, in order. */
export const migrations: readonly Migration[] = [support, search, searchVectors, permissions, mcp, sinks]
