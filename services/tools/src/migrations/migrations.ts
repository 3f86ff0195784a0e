import type { Migration } from '@baton/store'
import { permissions } from './permissions.ts'
import { search } from './search.ts'
import { support } from './support.ts'

/** Tables of this service, in order. */
export const migrations: readonly Migration[] = [support, search, permissions]
