import { Command, Option } from 'commander'
import { percent } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { show, type CommandContext } from './context.ts'
import { calibrateCommand } from './models-calibrate.ts'
import { catalogueCommands } from './models-catalogue.ts'
import { learnedCommands } from './models-learned.ts'

const train = (context: CommandContext): Command =>
  new Command('train')
    .description('train a classifier from labelled text; the same data and seed give the same weights')
    .requiredOption('--data <file>', 'CSV with text and label, or JSON lines')
    .requiredOption('--out <file>', 'where the weights go; their provenance is written beside them')
    .option('--test <file>', 'labelled rows that are not trained on, to score it')
    .option('--labels <file>', 'table of labels and their categories, to score categories as well')
    .option('--seed <n>', 'seed of shuffling and splitting', '1')
    .addOption(new Option('--recipe <name>', 'wide: better with many labels, larger files').choices(['compact', 'wide']))
    .option('--source <text>', 'origin and licence of the data, kept in the provenance')
    .option('--json', 'print JSON')
    .action(
      async (options: {
        data: string
        out: string
        test?: string
        labels?: string
        recipe?: 'compact' | 'wide'
        seed: string
        source?: string
        json?: boolean
      }) => {
        const { json, seed, ...files } = options
        const { trainFromFile } = await import('@baton/models')
        const report = await trainFromFile({ ...files, seed: Number(seed), nowMs: Date.now() }, ({ share, phase, epoch, loss }) =>
          context.terminal.status(`${bar(share)} ${phase}, epoch ${epoch}, loss ${loss.toFixed(3)}`),
        )
        context.terminal.settle()
        const scored =
          report.test === undefined
            ? ''
            : `, right on ${percent(report.test.accuracy, 1)} of ${report.test.rows} unseen rows, calibration error ${report.test.calibrationError.toFixed(3)}`
        show(context, report, {
          ...(json === undefined ? {} : { json }),
          text: () =>
            `${report.out}: ${report.labels} labels from ${report.rows} rows in ${report.seconds.toFixed(0)} s, ${(report.sizeBytes / 1e6).toFixed(1)} MB${scored}`,
        })
      },
    )

/** `baton models train`. */
export const modelsCommand = (context: CommandContext): Command =>
  [...learnedCommands(context), calibrateCommand(context), ...catalogueCommands(context)].reduce(
    (models, command) => models.addCommand(command),
    trained(context),
  )

const trained = (context: CommandContext): Command =>
  new Command('models')
    .description('models: which there are, where they come from, and those that Baton trains itself')
    .addCommand(train(context))
