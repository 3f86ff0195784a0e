// A person's yes to one call: asked for, carried with the work, and looked at again when the call is made.
//   V1. A yes is for these tools with exactly these arguments under exactly these rules: anything else is `approval.stale`.
//   V2. Arguments that the person wrote are the ones that count, and nothing else is; they pass the schema and the rules as any others do.
//   V3. Anything but a yes or an edit is a no.
//   V4. What a tool asks in the middle of its work keeps the yes that it works under.
import { canonicalJson, Fault, isJsonObject, sha256, type Answered, type Ask, type Json } from '@baton/contracts'

/** What a yes is bound to. */
export const fingerprintOf = (bound: { readonly tools: readonly string[]; readonly args: Json; readonly policy: string }): string =>
  sha256(canonicalJson(bound))

/** A yes that was given. */
export type Approval = { readonly fingerprint: string; readonly input: Json; readonly by: string; readonly edited: boolean }

/** Says what a question was for, in the state that goes with it. */
const FOR = 'for'
const FOR_APPROVAL = 'approval'
const FOR_TOOL = 'tool'

const stateOf = ({ state }: Answered): { readonly [key: string]: Json } => (state !== undefined && isJsonObject(state) ? state : {})

/** What goes with a question of a tool: its own state, and the yes it works under (V4). */
export const toolState = (tool: string, state: Json | undefined, approval: Approval | undefined): Json => ({
  [FOR]: FOR_TOOL,
  tool,
  ...(state === undefined ? {} : { state }),
  ...(approval === undefined ? {} : { approval: { ...approval } }),
})

const isApproval = (value: unknown): value is Approval =>
  isJsonObject(value) && typeof value['fingerprint'] === 'string' && typeof value['by'] === 'string' && value['input'] !== undefined

/** What a person wrote: the arguments alone, or the whole of what was shown with a changed draft. */
const editedOf = (output: Json, asked: Json): Json => {
  const own = isJsonObject(asked) && asked['draft'] !== undefined
  return !own && isJsonObject(output) && output['draft'] !== undefined ? output['draft'] : output
}

/** The yes to calling it with `input` that came with the work, if one did. Throws `approval.refused` (V3), `approval.stale` (V1). */
export const approvalOf = (
  answered: Answered | undefined,
  { input, fingerprint: expected }: { readonly input: Json; readonly fingerprint: string },
): Approval | undefined => {
  if (answered === undefined) return undefined
  const { [FOR]: use, approval: kept } = stateOf(answered)
  if (use === FOR_TOOL) return isApproval(kept) ? fitting(kept, expected) : undefined // V4
  if (use !== FOR_APPROVAL) return undefined
  const { verdict, by, reason = '', output, fingerprint } = answered
  if (verdict !== 'approve' && verdict !== 'edit') {
    const why = reason === '' ? '' : `: ${reason}`
    throw new Fault('approval.refused', `${by} did not approve this call${why}`.slice(0, 1_000), { by, task: answered.taskId }) // V3
  }
  return fitting({ fingerprint, input: verdict === 'edit' ? editedOf(output, input) : input, by, edited: verdict === 'edit' }, expected)
}

const fitting = (approval: Approval, expected: string): Approval => {
  if (approval.fingerprint === expected) return approval
  throw new Fault('approval.stale', 'what was approved is not what would be done now', { by: approval.by }) // V1
}

/** What a person said to a question of the tool itself, as the tool left it; undefined where the question was another. */
export const answeredFor = (tool: string, answered: Answered | undefined): Answered | undefined => {
  if (answered === undefined) return undefined
  const { state: _given, ...rest } = answered
  const own = stateOf(answered)
  if (own[FOR] !== FOR_TOOL || own['tool'] !== tool) return undefined
  const { state } = own
  return state === undefined ? rest : { ...rest, state }
}

export type ApprovalWanted = {
  readonly tools: readonly string[]
  readonly args: Json
  readonly fingerprint: string
  readonly step: string
  readonly agent?: string
  readonly about: string
  readonly schema: Json
  readonly risk: 'reversible' | 'irreversible'
  readonly reasons: readonly string[]
  readonly queue?: string
  readonly slaMs?: number
}

/** The question: what would be done, with which arguments, and why a person is asked. */
export const approvalAsk = (wanted: ApprovalWanted): Ask => ({
  kind: 'approval',
  use: 'answer',
  title: `Approve ${wanted.tools.join(' or ')}`.slice(0, 300),
  input: {
    draft: wanted.args,
    tool: wanted.tools.join(', '),
    about: wanted.about,
    step: wanted.step,
    ...(wanted.agent === undefined ? {} : { agent: wanted.agent }),
  },
  fingerprint: wanted.fingerprint,
  allowed: ['approve', 'edit', 'reject'],
  schema: wanted.schema,
  risk: wanted.risk,
  reasons: wanted.reasons.slice(0, 20).map((reason) => reason.slice(0, 1_000)),
  state: { [FOR]: FOR_APPROVAL },
  ...(wanted.queue === undefined ? {} : { queue: wanted.queue }),
  ...(wanted.slaMs === undefined ? {} : { slaMs: wanted.slaMs }),
})
