import type { Command } from 'commander'

/** Which letters. */
export type FilterOptions = {
  readonly service?: string
  readonly fingerprint?: string
  readonly code?: string
  readonly tenant?: string
  readonly since?: string
}

/** The options that say which letters, on a command. */
export const withFilters = (command: Command): Command =>
  command
    .option('--service <service>', 'only of this service')
    .option('--fingerprint <kind>', 'only of this kind, as in groups')
    .option('--code <code>', 'only with this code of the fault')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--since <time>', 'only those that came then or later: 2026-01-31T12:00:00Z, or how long ago, like 2h or 7d')
