// A person asked about the output of a step: the output is the draft, and what the person decides is the output.
//   P1. An output too large for a person to look at does not pass by what wanted a look.
//   P2. Where there is no output that holds, the person writes one.
import { canonicalJson, Fault, sha256, type Ask, type Json, type StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { ActivationNeed } from '@baton/policy/activation'
import { present } from './review-need.ts'
import type { WorkResult } from './worker.ts'

/** Largest output, as JSON text, that a person is shown (P1). */
const SHOWN_CHARS_MAX = 256 * 1_024

/** What the person is asked about. `output` absent: nobody gave one that holds (P2). */
export type AskedAbout = {
  readonly command: StepCommand
  readonly node: PlanNode
  readonly input: Json
  readonly output?: Json
  readonly by?: string
  readonly confidence?: number
}
/** Why, and by which rule or route. */
export type AskedBy = { readonly need: ActivationNeed; readonly rule: string; readonly reasons: readonly string[]; readonly share?: number }

const allowedOf = (kind: ActivationNeed['kind'], hasDraft: boolean): NonNullable<Ask['allowed']> => {
  if (!hasDraft) return ['respond', 'reject']
  return kind === 'approval' ? ['approve', 'reject'] : ['approve', 'edit', 'reject']
}

/** The question to the person. */
export const askAbout = ({ command, node, input, output, by, confidence }: AskedAbout, { need, rule, reasons, share }: AskedBy): Ask => {
  const { queue, kind, title, priority, slaMs, risk = 'reversible', roles, quorum, excludeRequester } = need
  const hasDraft = output !== undefined
  const optional = { priority, slaMs, roles: roles === undefined ? undefined : [...roles], quorum, excludeRequester, schema: node.returns }
  return {
    kind: hasDraft ? kind : 'question', // P2
    use: 'output',
    title: (title ?? `${command.flow}: ${command.path}`).slice(0, 300),
    input: { question: input, ...present({ draft: output, madeBy: by, confidence }) },
    fingerprint: sha256(canonicalJson({ runId: command.runId, path: command.path, output: output ?? null })),
    allowed: allowedOf(kind, hasDraft),
    queue,
    risk,
    reasons: reasons.slice(0, 20).map((reason) => reason.slice(0, 1_000)),
    measured: { ...present({ route: by }), rule, ...present({ confidence, share }) },
    ...present(optional),
  }
}

/** Whether a person can be shown it (P1). */
export const isTooLargeToShow = (output: Json): boolean => JSON.stringify(output).length > SHOWN_CHARS_MAX

/** The question as the result of the work (P1). */
export const askedWork = (
  about: AskedAbout,
  by: AskedBy,
  { meter, taint }: Pick<WorkResult & { status: 'answered' }, 'meter' | 'taint'>,
): WorkResult =>
  about.output !== undefined && isTooLargeToShow(about.output)
    ? {
        status: 'failed',
        fault: new Fault('step.output_too_large', 'a person is to look at this, and it is too large to look at'),
        meter,
      }
    : { status: 'asks', ask: askAbout(about, by), meter, ...(taint === undefined ? {} : { taint }) }
