import type { Migration } from '../migrate.ts'

/** Which kinds of dead letters were met, by fingerprint, so that the first of a kind is told once in an installation. */
export const deadLetterKinds: Migration = {
  name: '017-dead-letter-kinds',
  statements: [
    `create table dead_letter_kinds (
      fingerprint text primary key,
      service text not null,
      code text not null,
      first_seen_at timestamptz not null,
      last_seen_at timestamptz not null
    )`,
    'create index dead_letter_kinds_last on dead_letter_kinds (last_seen_at)',
  ],
}
