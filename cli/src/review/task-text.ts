// One task for a person at a terminal: what is asked and proposed, why it came here, how long there is, and what to type.
import { duration } from '../print/table.ts'

type Json = unknown
export type ShownTask = {
  readonly taskId: string
  readonly runId: string
  readonly flow: string
  readonly path: string
  readonly queue: string
  readonly priority: string
  readonly title: string
  readonly status: string
  readonly allowed: readonly string[]
  readonly claimedBy?: string | null
  readonly decision?: { readonly verdict: string; readonly by: string; readonly reason?: string | null } | null
  readonly votes?: readonly { readonly by: string; readonly verdict: string }[]
  readonly terms: { readonly risk?: string; readonly roles?: readonly string[]; readonly rejections?: Readonly<Record<string, string>> }
  readonly context: {
    readonly question: Json
    readonly proposal: Json
    readonly confidence: number | null
    readonly reasons: readonly string[]
    readonly rule: string | null
    readonly sources: Json
    readonly conversation: Json
    readonly differences: readonly { readonly at: string; readonly from?: Json; readonly to?: Json }[] | null
    readonly costUsd: number | null
    readonly deadlineMs: number
  }
}

const CHARS_MAX = 2_000
const shown = (value: Json): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)} … (--json shows all of it)` : text
}
const block = (heading: string, value: Json): readonly string[] =>
  value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0)
    ? []
    : [
        '',
        heading,
        ...shown(value)
          .split('\n')
          .map((line) => `  ${line}`),
      ]

const line = (name: string, value: string | undefined): readonly string[] => (value === undefined ? [] : [`${name.padEnd(12)}${value}`])
const listed = (items: readonly string[]): string | undefined => (items.length === 0 ? undefined : items.join(', '))

const differencesOf = ({ differences }: ShownTask['context']): readonly string[] =>
  differences === null || differences.length === 0
    ? []
    : [
        '',
        'different from before',
        ...differences.map(({ at, from, to }) => `  ${at}: ${JSON.stringify(from ?? null)} -> ${JSON.stringify(to ?? null)}`),
      ]

const OPEN: readonly string[] = ['pending', 'claimed', 'escalated']

const nextOf = ({ taskId, allowed, status, terms }: ShownTask): readonly string[] => {
  if (!OPEN.includes(status)) return []
  const because = Object.keys(terms.rejections ?? {})
  return [
    '',
    `allowed: ${allowed.join(', ')}${because.length === 0 ? '' : `; reasons for rejecting: ${because.join(', ')}`}`,
    `baton reviews decide ${taskId} --verdict ${allowed[0] ?? 'approve'}`,
  ]
}

/** The task as text. */
export const taskText = (task: ShownTask, nowMs: number): string => {
  const { context, terms, decision } = task
  const leftMs = context.deadlineMs - nowMs
  const votes = (task.votes ?? []).map(({ by, verdict }) => `${by}: ${verdict}`)
  return [
    task.title,
    '',
    ...line('task', `${task.taskId}, ${task.status}${task.claimedBy == null ? '' : ` by ${task.claimedBy}`}`),
    ...line('run', `${task.runId}, ${task.flow}, step ${task.path}`),
    ...line('queue', `${task.queue}, ${task.priority}${terms.risk === undefined ? '' : `, ${terms.risk}`}`),
    ...line('for', listed(terms.roles ?? [])),
    ...line('due', OPEN.includes(task.status) ? (leftMs > 0 ? `in ${duration(leftMs)}` : `${duration(-leftMs)} ago`) : undefined),
    ...line('why here', listed([...context.reasons, ...(context.rule === null ? [] : [`rule ${context.rule}`])])),
    ...line('confidence', context.confidence === null ? undefined : context.confidence.toFixed(2)),
    ...line('cost so far', context.costUsd === null ? undefined : `${context.costUsd.toFixed(4)} USD`),
    ...line('votes', listed(votes)),
    ...line(
      'decided',
      decision == null ? undefined : `${decision.verdict} by ${decision.by}${decision.reason == null ? '' : `: ${decision.reason}`}`,
    ),
    ...block('question', context.question),
    ...block('proposal', context.proposal),
    ...differencesOf(context),
    ...block('sources', context.sources),
    ...block('conversation', context.conversation),
    ...nextOf(task),
  ].join('\n')
}
