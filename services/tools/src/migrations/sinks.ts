import type { Migration } from '@baton/store'

/** What the sinks of payments and mails were given. An effect key may be there twice: that it never is, is what is proved. */
export const sinks: Migration = {
  name: '007-sinks',
  statements: [
    `create table payments (
      tenant text not null,
      id text not null,
      effect_key text not null,
      run_id text not null,
      account text not null,
      cents bigint not null,
      currency text not null,
      reference text not null,
      at_ms bigint not null,
      primary key (tenant, id)
    )`,
    `create index payments_effect on payments (tenant, effect_key)`,
    `create table mails (
      tenant text not null,
      id text not null,
      effect_key text not null,
      run_id text not null,
      recipients text not null,
      subject text not null,
      body text not null,
      at_ms bigint not null,
      primary key (tenant, id)
    )`,
    `create index mails_effect on mails (tenant, effect_key)`,
  ],
}
