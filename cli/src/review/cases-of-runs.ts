// Cases of completed runs, from the content that was kept of their steps.
import { Fault } from '@baton/contracts/fault'
import type { Api } from '../api.ts'

type Step = {
  readonly path: string
  readonly status: string
  readonly contentRef?: { readonly sha256: string } | string | null
  readonly content?: { readonly ref?: string } | null
  readonly children?: readonly Step[]
}
type Content = { readonly prompt?: string; readonly system?: string; readonly input?: unknown; readonly output?: unknown }

const RUNS_A_PAGE = 100

const stepsIn = (steps: readonly Step[]): readonly Step[] => steps.flatMap((step) => [step, ...stepsIn(step.children ?? [])])

const refOf = ({ contentRef }: Step): string | undefined => (typeof contentRef === 'string' ? contentRef : contentRef?.sha256)

const caseOf = async (api: Api, runId: string, step: Step): Promise<string | undefined> => {
  const ref = refOf(step)
  if (ref === undefined) return undefined
  const { prompt, system, input, output } = await api.get<Content>(`/v1/runs/${runId}/payloads/${ref}`)
  if (prompt === undefined || output === undefined) return undefined
  return JSON.stringify({ id: runId, prompt, ...(system === undefined ? {} : { system }), input: input ?? null, expect: output })
}

/** JSON lines of cases. Throws `request.not_found` where no content was kept. */
export const casesOfRuns = async (api: Api, { flow, step, limit }: { flow: string; step: string; limit: number }): Promise<string> => {
  if (flow === '' || step === '')
    throw new Fault('request.malformed', 'name cases with --cases FILE, or runs with --from-flow FLOW --step PATH')
  const lines: string[] = []
  let cursor: string | undefined
  do {
    const page = await api.get<{ items: readonly { runId: string }[]; cursor?: string }>(
      `/v1/runs?${new URLSearchParams({ flow, status: 'completed', limit: String(RUNS_A_PAGE), ...(cursor === undefined ? {} : { cursor }) }).toString()}`,
    )
    for (const { runId } of page.items) {
      const { steps } = await api.get<{ steps: readonly Step[] }>(`/v1/runs/${runId}/trace`)
      const found = stepsIn(steps).find((one) => one.path === step && one.status === 'completed')
      const line = found === undefined ? undefined : await caseOf(api, runId, found)
      if (line !== undefined) lines.push(line)
      if (lines.length >= limit) break
    }
    cursor = page.cursor
  } while (cursor !== undefined && lines.length < limit)
  if (lines.length === 0)
    throw new Fault('request.not_found', `no content of the step ${step} was kept of completed runs of ${flow}`, { flow, step })
  return lines.join('\n')
}
