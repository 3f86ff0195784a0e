// What moderation does to content: a small shelf in a SQLite file of the data directory. Replace it by tools of your own product.
//   C1. Done again for the same step, it is done once: the key of the effect is unique in the file.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defineTool, type Tool } from '@baton/tools'
import { z } from 'zod'

const FILE = join(process.env['BATON_DATA_DIR'] ?? '.baton', 'content.sqlite')
const SCHEMA = `create table if not exists decisions
  (effect_key text primary key, id text not null, state text not null, at_ms integer not null)`

let opened: DatabaseSync | undefined
const open = (): DatabaseSync => {
  if (opened !== undefined) return opened
  mkdirSync(dirname(FILE), { recursive: true })
  opened = new DatabaseSync(FILE)
  opened.exec('pragma journal_mode = wal; pragma busy_timeout = 5000;')
  opened.exec(SCHEMA)
  return opened
}

const decide = (name: string, about: string, state: string): Tool =>
  defineTool({
    name,
    about,
    effect: 'write',
    idempotent: true, // C1
    input: z.strictObject({ id: z.string().min(1).max(256) }),
    output: z.object({ id: z.string(), state: z.string() }),
    timeoutMs: 2_000,
    run: ({ id }, { effectKey, nowMs }) => {
      open().prepare('insert into decisions values (?, ?, ?, ?) on conflict do nothing').run(effectKey, id, state, nowMs())
      return { id, state }
    },
  })

/** Shows content to everybody. */
export const publish = decide('moderation/publish', 'Shows content to everybody.', 'published')

/** Hides content. */
export const block = decide('moderation/block', 'Hides content from everybody.', 'blocked')
