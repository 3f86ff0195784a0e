// The same model on Tuesday as on Monday (B19): what answered is remembered, and a change of it is told.
//   N1. What counts is what the provider says it answered with, for the name it was asked for. Asking for another name is no change.
//   N2. A change is told once by all processes together: the row in the database decides who.
//   N3. Answers never wait for it; while the database is away nothing is told, and the next answer tries again.
import { encodeEvent, TOPICS } from '@baton/contracts'
import type { Bus } from '@baton/bus/bus'
import type { Database, Migration } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'
import type { ModelAbout } from '../model.ts'

export const samenessMigrations: readonly Migration[] = [
  {
    name: '001-model-snapshots',
    statements: [
      `create table model_snapshots (
        server text not null,
        asked text not null,
        served_by text not null,
        seen_at_ms bigint not null,
        is_current boolean not null,
        primary key (server, asked, served_by)
      )`,
    ],
  },
]

/** Told of every answer that says what it was made with. */
export type OnServed = (about: Pick<ModelAbout, 'name' | 'server' | 'model'>, servedBy: string) => void

type Parts = { readonly db: Database; readonly bus: Pick<Bus, 'publish'>; readonly telemetry: Telemetry; readonly nowMs: () => number }

type Change = { readonly before: string | undefined; readonly changed: boolean }

/** Enters what answered; what it was before, where this process is the one that changed it (N2). */
const enter = async (
  db: Database,
  { server, asked, servedBy, atMs }: { server: string; asked: string; servedBy: string; atMs: number },
): Promise<Change> =>
  db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`${server} ${asked}`]) // N2, also for the first answer
    const { rows } = await tx.query<{ served_by: string }>(
      'select served_by from model_snapshots where server = $1 and asked = $2 and is_current',
      [server, asked],
    )
    const before = rows[0]?.served_by
    if (before === servedBy) return { before, changed: false }
    await tx.query('update model_snapshots set is_current = false where server = $1 and asked = $2 and is_current', [server, asked])
    await tx.query(
      `insert into model_snapshots (server, asked, served_by, seen_at_ms, is_current) values ($1, $2, $3, $4, true)
       on conflict (server, asked, served_by) do update set is_current = true, seen_at_ms = excluded.seen_at_ms`,
      [server, asked, servedBy, atMs],
    )
    return { before, changed: before !== undefined }
  })

/** Watches answers. */
export const createSameness = ({ db, bus, telemetry, nowMs }: Parts): OnServed => {
  /** What this process saw last, so that the database is asked only when something is new. */
  const last = new Map<string, string>()
  const look = async (about: Parameters<OnServed>[0], servedBy: string): Promise<void> => {
    const { name, server, model: asked } = about
    const atMs = nowMs()
    const { before, changed } = await enter(db, { server, asked, servedBy, atMs })
    if (!changed || before === undefined) return
    telemetry.metrics.count('baton_model_changed', { model: name })
    telemetry.logger.warn({ model: name, server, asked, before, after: servedBy }, 'a provider answers with another snapshot')
    const event = encodeEvent({
      name: 'model.changed',
      id: `model/${server}/${asked}/${servedBy}/${atMs}`,
      source: 'models',
      subject: `model/${name}`,
      tenant: 'default',
      data: { model: name, server, asked, before, after: servedBy, atMs },
    })
    await bus.publish([{ topic: TOPICS.journal, ...event }])
  }
  return (about, servedBy) => {
    const key = `${about.server} ${about.model}`
    if (last.get(key) === servedBy) return
    last.set(key, servedBy)
    look(about, servedBy).catch((error: unknown) => {
      last.delete(key) // N3
      telemetry.logger.warn(
        { model: about.name, problem: error instanceof Error ? error.message : 'unknown' },
        'what answered could not be entered',
      )
    })
  }
}
