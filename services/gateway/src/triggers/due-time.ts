// When a schedule is due: the one place that knows cron and time zones.
//   D1. A time that the clock leaves out in spring is due at the end of the gap; one that it shows twice in autumn is due once, the first
//       time. A schedule with a wildcard or a step in it goes by what passes instead, and so sees both hours.
//   D2. `every` counts from the due time before, so it does not drift.
//   D3. Of several due times that were missed the latest is the one to make up for.
import { Cron } from 'croner'

/** The part of a trigger that says when. */
export type Schedule = { readonly cron?: string; readonly everyMs?: number; readonly zone: string }

/** Shorter intervals are as this one. */
const EVERY_MS_MIN = 1_000

const clockOf = ({ cron = '', zone }: Schedule): Cron =>
  new Cron(cron, { timezone: zone, mode: '5-part', sloppyRanges: true, fixedTimeRule: 'no-wildcard' }) // D1

/** The first due time after a time; undefined when there is none any more. */
export const nextDueMs = (schedule: Schedule, afterMs: number): number | undefined => {
  if (schedule.everyMs !== undefined) return afterMs + Math.max(EVERY_MS_MIN, schedule.everyMs) // D2
  return clockOf(schedule).nextRun(new Date(afterMs))?.getTime()
}

/** The latest due time that is not after `nowMs`, where `dueMs` is one (D3). */
export const latestDueMs = (schedule: Schedule, { dueMs, nowMs }: { readonly dueMs: number; readonly nowMs: number }): number => {
  if (schedule.everyMs !== undefined) {
    const everyMs = Math.max(EVERY_MS_MIN, schedule.everyMs)
    return dueMs + Math.max(0, Math.floor((nowMs - dueMs) / everyMs)) * everyMs
  }
  // The time asked about is not among the answers, and may itself be due: asked a second later, at most one of two is to come.
  const past = clockOf(schedule).previousRuns(2, new Date(nowMs + 1_000))
  return Math.max(dueMs, past.map((time) => time.getTime()).find((time) => time <= nowMs) ?? dueMs)
}
