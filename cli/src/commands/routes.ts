// `baton routes list|explain|review`: how models are chosen, why this one, and whether another way would do better.
import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { readEnvironment } from '@baton/service/config'
import { table } from '../print/table.ts'
import type { Reviewed } from '@baton/models'
import { reviewText } from '../review/review-text.ts'
import { bar } from '../terminal.ts'
import { show, type CommandContext } from './context.ts'
import { casesOfRuns } from '../review/cases-of-runs.ts'
import { runningSystem } from './running-system.ts'

type Explained = {
  readonly route: string
  readonly policy: string
  readonly steps: readonly { readonly model: string; readonly role: string; readonly stage: number }[]
  readonly candidates: readonly {
    readonly model: string
    readonly score?: number
    readonly parts?: Readonly<Record<string, number>>
    readonly lost?: string
  }[]
  readonly person?: string
  readonly fault?: { readonly code: string; readonly message: string }
}

const candidateRow =
  (explained: Explained) =>
  ({ model, score, parts = {}, lost }: Explained['candidates'][number]): readonly string[] => [
    model,
    explained.steps.find((step) => step.model === model)?.role ?? '',
    score === undefined ? '' : score.toFixed(3),
    Object.entries(parts)
      .map(([part, value]) => `${part} ${value.toFixed(2)}`)
      .join(', '),
    lost ?? '',
  ]

const explain = (context: CommandContext): Command =>
  new Command('explain')
    .description('which models would be asked now, in which order, and why the others would not; nothing is asked')
    .argument('<names...>', 'routes and models, as a step names them')
    .option('--text <text>', 'the question', '')
    .option('--tokens <n>', 'tokens of the question, instead of counting the text')
    .option('--tools', 'the question offers tools')
    .option('--vision', 'it comes with a picture')
    .option('--flow <name>', 'the flow that asks')
    .option('--tenant <name>', 'the tenant that asks')
    .option('--session <id>', 'the session, for choices that stick to it')
    .option('--left <ms>', 'time left for the answer')
    .option('--json', 'print JSON')
    .action(async (models: string[], options: Record<string, string | boolean | undefined> & { json?: boolean }) => {
      const number = (name: string): number | undefined => (typeof options[name] === 'string' ? Number(options[name]) : undefined)
      const { json, text, tools, vision, flow, tenant, session } = options
      const explained = await runningSystem().post<Explained>('/v1/routes:explain', {
        models,
        text,
        ...(tools === true ? { tools } : {}),
        ...(vision === true ? { vision } : {}),
        ...(flow === undefined ? {} : { flow }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(session === undefined ? {} : { session }),
        ...(number('tokens') === undefined ? {} : { inputTokens: number('tokens') }),
        ...(number('left') === undefined ? {} : { leftMs: number('left') }),
      })
      if (explained.fault !== undefined) context.fail()
      show(context, explained, {
        ...(json === undefined ? {} : { json }),
        text: () =>
          explained.fault === undefined
            ? `${explained.route}: ${explained.policy}\n${table(['model', 'role', 'score', 'parts', 'why not first'], explained.candidates.map(candidateRow(explained)))}${explained.person === undefined ? '' : `\nthen a person of the queue ${explained.person}`}`
            : `${explained.fault.code}: ${explained.fault.message}`,
      })
    })

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('routes of the catalogue and the models behind each')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { models } = await runningSystem().get<{ models: readonly { name: string; routes: readonly string[]; configured: boolean }[] }>(
        '/v1/config/models',
      )
      const names = [...new Set(models.flatMap(({ routes }) => routes))].toSorted()
      const rows = names.map((route) => ({ route, models: models.filter(({ routes }) => routes.includes(route)) }))
      show(context, rows, {
        ...options,
        text: () =>
          table(
            ['route', 'models'],
            rows.map(({ route, models: behind }) => [
              route,
              behind.map(({ name, configured }) => (configured ? name : `(${name})`)).join(', '),
            ]),
          ),
      })
    })

const CALL_TIMEOUT_MS = 120_000
const CALLS_AT_ONCE = 8

type ReviewFlags = {
  readonly cases?: string
  readonly fromFlow?: string
  readonly step?: string
  readonly limit: string
  readonly also?: string[]
  readonly compare?: string[]
  readonly margin: string
  readonly maxCost: string
  readonly seed: string
  readonly out?: string
  readonly json?: boolean
}

/** The review itself, with its progress. */
const reviewNow = async (context: CommandContext, route: string, flags: ReviewFlags): Promise<Reviewed> => {
  const { catalogueOfFile, readReviewCases, review: reviewIt } = await import('@baton/models')
  const limit = Number(flags.limit)
  const recorded =
    flags.cases === undefined
      ? await casesOfRuns(runningSystem(), { flow: flags.fromFlow ?? '', step: flags.step ?? '', limit })
      : await readFile(flags.cases, 'utf8')
  const reviewed = await reviewIt(await catalogueOfFile(readEnvironment(process.env).config), {
    route,
    cases: readReviewCases(recorded).slice(0, limit),
    fields: flags.compare ?? [],
    also: flags.also ?? [],
    margin: Number(flags.margin),
    seed: Number(flags.seed),
    costMaxUsd: Number(flags.maxCost),
    timeoutMs: CALL_TIMEOUT_MS,
    atOnce: CALLS_AT_ONCE,
    onShare: (share) => context.terminal.status(`${bar(share)} ${Math.round(share * 100)} %`),
  })
  context.terminal.settle()
  return reviewed
}

const review = (context: CommandContext): Command =>
  new Command('review')
    .description('put recorded cases to the models of a route as they are today, and propose a change with its expected cost and quality')
    .argument('<route>', 'a route of config/models.yaml')
    .option('--cases <file>', 'JSON lines { prompt, system?, input?, schema?, expect }')
    .option('--from-flow <flow>', 'cases of completed runs of this flow, from the running system; what was answered then counts as right')
    .option('--step <path>', 'the step of that flow')
    .option('--limit <n>', 'at most so many cases', '200')
    .option('--also <model...>', 'models to try beside those of the route')
    .option('--compare <field...>', 'fields of the answer that have to be right; default: all that are expected')
    .option('--margin <share>', 'loss of quality that a cheaper route may have', '0.02')
    .option('--max-cost <dollars>', 'what the review itself may cost', '1')
    .option('--seed <n>', 'seed of the halves', '1')
    .option('--out <file>', 'write the proposal as YAML')
    .option('--json', 'print JSON')
    .action(async (route: string, flags: ReviewFlags) => {
      const reviewed = await reviewNow(context, route, flags)
      const { stringify } = await import('yaml')
      const yaml = reviewed.yaml === undefined ? undefined : stringify({ routes: { [route]: reviewed.yaml } })
      if (yaml !== undefined && flags.out !== undefined) await writeFile(flags.out, yaml)
      show(context, reviewed, {
        ...(flags.json === undefined ? {} : { json: flags.json }),
        text: () => reviewText(reviewed, { seed: flags.seed, yaml }),
      })
    })

/** `baton routes list|explain|review`. */
export const routesCommand = (context: CommandContext): Command =>
  new Command('routes')
    .description('how models are chosen, and why')
    .addCommand(list(context))
    .addCommand(explain(context))
    .addCommand(review(context))
