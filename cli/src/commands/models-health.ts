// `baton models health` and `baton models retry`: which models and servers are left alone just now, and trying one again before its time.
import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import { duration, percent, table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type Breaker = {
  readonly name: string
  readonly state: 'closed' | 'half_open' | 'open'
  readonly restsMs: number
  readonly inFlight: number
}
type Savings = { readonly hits: number; readonly misses: number; readonly savedMicroUsd: number }
type Latency = { readonly p50: number; readonly p95: number }
type Item = { readonly name: string; readonly condition?: { readonly latency?: Latency } }

const STATES = { closed: 'well', half_open: 'tried again', open: 'left alone' } as const

const latencies = (items: readonly Item[]): ReadonlyMap<string, Latency> =>
  new Map(items.flatMap(({ name, condition }) => (condition?.latency === undefined ? [] : [[name, condition.latency] as const])))

const health = (context: CommandContext): Command =>
  new Command('health')
    .description('models and servers that were asked: well, tried again or left alone, how fast, and what the cache has spared')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const system = runningSystem()
      const [{ breakers }, cache, { models }] = await Promise.all([
        system.get<{ breakers: readonly Breaker[] }>('/v1/models/breakers'),
        system.get<Savings>('/v1/models/cache'),
        system.get<{ models: readonly Item[] }>('/v1/config/models'),
      ])
      const known = latencies(models)
      const rows = breakers.map(({ name, state, restsMs, inFlight }) => {
        const latency = known.get(name)
        const times = latency === undefined ? ['', ''] : [duration(latency.p50), duration(latency.p95)]
        return [name, STATES[state], restsMs > 0 ? duration(restsMs) : '', inFlight, ...times]
      })
      show(
        context,
        { breakers: breakers.map((one) => ({ ...one, ...(known.has(one.name) ? { latency: known.get(one.name) } : {}) })), cache },
        {
          ...options,
          text: () =>
            [
              rows.length === 0 ? 'nothing was asked yet' : table(['name', 'state', 'for', 'calls out', 'p50', 'p95'], rows),
              '',
              `cache of answers: ${cache.hits} of ${cache.hits + cache.misses} questions (${percent(cache.hits, cache.hits + cache.misses)}), $${(cache.savedMicroUsd / 1e6).toFixed(4)} saved`,
            ].join('\n'),
        },
      )
    })

const retry = (context: CommandContext): Command =>
  new Command('retry')
    .description('try a model or server again before its rest is over: one call first, as after any rest')
    .argument('[name]', 'as `models health` names it; a server is server:NAME')
    .option('--all', 'all that are left alone')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { all?: boolean; json?: boolean }) => {
      if ((name === undefined) !== (options.all === true)) throw new Fault('request.malformed', 'name a model or server, or --all')
      const { json } = options
      const done = await runningSystem().post<{ retried: readonly string[] }>(
        '/v1/models/breakers:retry',
        name === undefined ? {} : { name },
      )
      show(context, done, {
        ...(json === undefined ? {} : { json }),
        text: () => (done.retried.length === 0 ? 'none is left alone' : `tried again: ${done.retried.join(', ')}`),
      })
    })

/** `baton models health|retry`. */
export const healthCommands = (context: CommandContext): readonly Command[] => [health(context), retry(context)]
