// What decisions of people teach, on the command line. Nothing here changes anything: a person applies what is proposed.
import { Command } from 'commander'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type About = { flow?: string; step?: string; days: string }
type Effect = { readonly threshold: number; readonly automated: number; readonly accuracy: number; readonly low: number }
type Bin = {
  readonly from: number
  readonly to: number
  readonly decisions: number
  readonly overturnRate: number
  readonly low: number
  readonly high: number
}

const about = (command: Command): Command =>
  command
    .option('--flow <flow>', 'only of this flow')
    .option('--step <step>', 'only of this step')
    .option('--days <n>', 'how far back', '90')

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`

const rates = (context: CommandContext): Command =>
  about(new Command('rates').description('how often people overturned, by route and confidence'))
    .option('--json', 'print JSON')
    .action(async ({ json, ...filter }: About & { json?: boolean }) => {
      const page = await runningSystem().get<{ items: readonly { route: string; bins: readonly Bin[] }[] }>(
        `/v1/reviews/learned/rates${query(filter)}`,
      )
      const rows = page.items.flatMap(({ route, bins }) =>
        bins
          .filter(({ decisions }) => decisions > 0)
          .map((bin) => [
            route,
            `${bin.from}–${bin.to}`,
            String(bin.decisions),
            percent(bin.overturnRate),
            `${percent(bin.low)} – ${percent(bin.high)}`,
          ]),
      )
      show(context, page, {
        ...(json === undefined ? {} : { json }),
        text: () => table(['route', 'confidence', 'decisions', 'overturned', '95 %'], rows),
      })
    })

const exported = (context: CommandContext): Command =>
  about(new Command('export').description('decisions as cases for evaluation, one JSON a line')).action(async (filter: About) => {
    const page = 500
    for (let after = ''; ;) {
      const lines = (await runningSystem().text(`/v1/reviews/learned/cases${query({ ...filter, after, limit: page })}`))
        .split('\n')
        .filter((line) => line !== '')
      for (const line of lines) context.terminal.print(line)
      if (lines.length < page) return
      after = (JSON.parse(lines.at(-1) ?? '{}') as { id: string }).id // written by the service
    }
  })

/** The change as a diff of the rule, and what it is expected to do. */
const diffOf = (rule: string, now: Effect, next: Effect): string =>
  [
    `--- config/policies.yaml`,
    `+++ config/policies.yaml`,
    `@@ rule: ${rule} @@`,
    `-    confidenceBelow: ${now.threshold}`,
    `+    confidenceBelow: ${next.threshold}`,
    '',
    `without a person   ${percent(now.automated)} -> ${percent(next.automated)}`,
    `right of those     ${percent(now.accuracy)} (at least ${percent(now.low)}) -> ${percent(next.accuracy)} (at least ${percent(next.low)})`,
    'Estimated from decisions of people; apply it yourself where you agree.',
  ].join('\n')

const propose = (context: CommandContext): Command =>
  about(new Command('propose').description('a threshold that follows from the decisions, as a diff with what it is expected to do'))
    .requiredOption('--rule <name>', 'the rule of config/policies.yaml')
    .requiredOption('--now <confidence>', 'its confidenceBelow now')
    .option('--target <share>', 'how many of those without a person are to be right', '0.95')
    .option('--json', 'print JSON')
    .action(async ({ json, rule, ...filter }: About & { json?: boolean; rule: string; now: string; target: string }) => {
      const proposal = await runningSystem().get<{ now: Effect; proposed: Effect | null }>(`/v1/reviews/learned/proposal${query(filter)}`)
      const { now, proposed } = proposal
      const none = `nothing is proposed: no threshold certainly reaches ${percent(Number(filter.target))}, or there are too few decisions`
      show(context, proposal, {
        ...(json === undefined ? {} : { json }),
        text: () => (proposed === null ? none : diffOf(rule, now, proposed)),
      })
    })

const hurry = (context: CommandContext): Command =>
  new Command('hurry')
    .description('people who decide faster than anybody reads; exit 1 when there are')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const page = await runningSystem().get<{ items: readonly { by: string; decisions: number; hurried: number; alarm: boolean }[] }>(
        '/v1/reviews/learned/hurry',
      )
      const { items } = page
      const rows = items.map(({ by, decisions, hurried, alarm }) => [by, String(decisions), String(hurried), alarm ? 'too fast' : ''])
      show(context, page, { ...options, text: () => table(['person', 'decisions', 'below 3 s', ''], rows) })
      if (items.some(({ alarm }) => alarm)) context.fail()
    })

const verify = (context: CommandContext): Command =>
  new Command('signatures')
    .description('whether the chain of signatures is whole; exit 1 when it is not')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const chain = await runningSystem().get<{ signatures: number; brokenAt: number | null }>('/v1/reviews/learned/signatures')
      const { signatures, brokenAt } = chain
      const text = (): string =>
        brokenAt === null ? `${signatures} signatures, the chain is whole` : `the chain breaks at signature ${brokenAt}`
      show(context, chain, { ...options, text })
      if (brokenAt !== null) context.fail()
    })

export const learningCommands = (context: CommandContext): readonly Command[] => [
  rates(context),
  exported(context),
  propose(context),
  hurry(context),
  verify(context),
]
