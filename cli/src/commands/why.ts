import { Command } from 'commander'
import { show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type Reason = {
  readonly path: string | null
  readonly text: string
  readonly command: string | null
  readonly remedy?: string
}
/** What the answer about a run says of its state. */
export type WhyReply = {
  readonly runId: string
  readonly flow: string
  readonly version: string
  readonly status: string
  readonly why: readonly Reason[]
}

const reasonLines = ({ path, text, command, remedy }: Reason): readonly string[] => [
  `  ${path === null ? '' : `${path}: `}${text}`,
  ...(remedy === undefined ? [] : [`    ${remedy}`]),
  ...(command === null ? [] : [`    -> ${command}`]),
]

/** What a run waits for or failed on, and the command that helps. */
export const printWhy = ({ runId, flow, version, status, why }: WhyReply): string =>
  [`${runId} ${flow}@${version} ${status}`, ...(why.length === 0 ? ['  nothing holds it: it is done'] : why.flatMap(reasonLines))].join(
    '\n',
  )

/** `baton why RUN`. */
export const whyCommand = (context: CommandContext): Command =>
  new Command('why')
    .description('what a run waits for or failed on, and the command that helps')
    .argument('<run>')
    .option('--json', 'print JSON')
    .action(async (run: string, options: { json?: boolean }) => {
      const reply = await runningSystem().get<WhyReply>(`/v1/runs/${encodeURIComponent(run)}`)
      const { runId, flow, version, status, why } = reply
      show(context, { runId, flow, version, status, why }, { ...options, text: () => printWhy(reply) })
    })
