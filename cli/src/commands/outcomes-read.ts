// Outcomes of a running system: what people decided about answers of models, as rows a router learns from.
//   Y1. A row is an answer that a person saw: approved is right, everything else is not. What nobody looked at says nothing.
//   At most `RUNS_MAX` runs are read, the oldest decisions first; how many there were is told.
import type { ConfidenceRow, OutcomeRow } from '@baton/models'
import type { Api } from '../api.ts'
import { query } from './context.ts'

const PAGE = 500
const RUNS_MAX = 5_000

type Case = { readonly id: string; readonly taskId?: string; readonly runId: string; readonly path: string; readonly verdict: string }
type Attempt = {
  readonly path: string
  readonly seq: number
  readonly status: string
  readonly model?: string | null
  readonly confidence?: number
  readonly rawConfidence?: number
  readonly contentRef?: { readonly sha256: string }
}
type Node = Attempt & { readonly earlier?: readonly Attempt[]; readonly children?: readonly Node[] }
type Content = { readonly prompt?: string; readonly output?: unknown }

const casesOf = async (api: Api, filter: { flow?: string; days: number }): Promise<readonly Case[]> => {
  const cases: Case[] = []
  for (let after = ''; cases.length < RUNS_MAX;) {
    const lines = (await api.text(`/v1/reviews/learned/cases${query({ ...filter, after, limit: PAGE })}`)).split('\n').filter(Boolean)
    cases.push(...lines.map((line) => JSON.parse(line) as Case)) // Written by the reviews service, one case a line.
    after = cases.at(-1)?.id ?? ''
    if (lines.length < PAGE) break
  }
  return cases.slice(0, RUNS_MAX)
}

const flat = (nodes: readonly Node[]): readonly Attempt[] =>
  nodes.flatMap((node) => [...(node.earlier ?? []), node, ...flat(node.children ?? [])])

/** The last attempt of this kind before the step that asked the person. */
const lastBefore = (attempts: readonly Attempt[], path: string, isOne: (attempt: Attempt) => boolean): Attempt | undefined => {
  const asked = Math.min(...attempts.filter((one) => one.path === path).map(({ seq }) => seq))
  return attempts
    .filter((one) => isOne(one) && one.seq < asked)
    .toSorted((left, right) => left.seq - right.seq)
    .at(-1)
}

const attemptsOf = async (api: Api, { runId }: Case): Promise<readonly Attempt[]> => {
  const { steps } = await api.get<{ steps: readonly Node[] }>(`/v1/runs/${encodeURIComponent(runId)}/trace`)
  return flat(steps)
}

const rowOf = async (api: Api, one: Case): Promise<readonly OutcomeRow[]> => {
  const isAnswer = ({ model, contentRef }: Attempt): boolean => typeof model === 'string' && contentRef !== undefined
  const answer = lastBefore(await attemptsOf(api, one), one.path, isAnswer)
  if (answer?.contentRef === undefined || typeof answer.model !== 'string') return []
  const content = await api.get<Content>(`/v1/runs/${encodeURIComponent(one.runId)}/payloads/${answer.contentRef.sha256}`)
  if (content.prompt === undefined || content.prompt === '') return []
  const said = typeof content.output === 'string' ? content.output : JSON.stringify(content.output ?? null)
  return [{ prompt: content.prompt, ok: { [answer.model]: one.verdict === 'approve' }, answers: { [answer.model]: said } }] // Y1
}

/** Reads the outcomes of decisions (Y1, Y2). `onRow` hears how far it is. */
export const readReviewedOutcomes = async (
  api: Api,
  filter: { flow?: string; days: number },
  onRow: (done: number, all: number) => void = () => {},
): Promise<readonly OutcomeRow[]> => {
  const cases = await casesOf(api, filter)
  const rows: OutcomeRow[] = []
  for (const [at, one] of cases.entries()) {
    rows.push(...(await rowOf(api, one)))
    onRow(at + 1, cases.length)
  }
  return rows
}

/** The same decisions as confidences, of answers of these models: the raw one, where a calibration was applied already (Y1). */
export const readReviewedConfidences = async (
  api: Api,
  { models, ...filter }: { flow?: string; days: number; models: readonly string[] },
  onRow: (done: number, all: number) => void = () => {},
): Promise<readonly ConfidenceRow[]> => {
  const isSure = ({ model, confidence }: Attempt): boolean =>
    typeof model === 'string' && models.includes(model) && typeof confidence === 'number'
  const cases = await casesOf(api, filter)
  const rows: ConfidenceRow[] = []
  for (const [at, one] of cases.entries()) {
    const answer = lastBefore(await attemptsOf(api, one), one.path, isSure)
    if (answer?.confidence !== undefined)
      rows.push({ confidence: answer.rawConfidence ?? answer.confidence, right: one.verdict === 'approve' })
    onRow(at + 1, cases.length)
  }
  return rows
}
