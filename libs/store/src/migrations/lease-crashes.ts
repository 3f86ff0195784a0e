import type { Migration } from '../migrate.ts'

/** Where a partition stood when it was taken over last: an owner that died without moving it may have been killed by a record (L10). */
export const leaseCrashes: Migration = {
  name: '007-lease-crashes',
  statements: ['alter table log_partitions add column taken_next bigint'],
}
