import type { Migration } from '../migrate.ts'

/** Whether the owner holds its advisory lock too: only then does a free lock say that it is dead (L4). */
export const leaseLocks: Migration = {
  name: '008-lease-locks',
  statements: ['alter table log_partitions add column locked boolean not null default false'],
}
