import type { Api } from '../api.ts'

type Task = { readonly taskId: string; readonly runId: string; readonly priority: string }

/** What the reviewer of the demo knows about a run: the label a person gave the question. */
export type Knows = (runId: string) => { readonly intent: string } | undefined

/** Decides up to `decisionsMax` tasks over HTTP, the most urgent first, as a person with the console would. Returns how many it decided. */
export const reviewSome = async (api: Api, { knows, decisionsMax }: { knows: Knows; decisionsMax: number }): Promise<number> => {
  const by = 'demo-reviewer'
  const { items } = await api.get<{ items: readonly Task[] }>(`/v1/reviews?status=pending&limit=${decisionsMax}`)
  let decided = 0
  for (const { taskId, runId } of items) {
    const known = knows(runId)
    if (known === undefined) continue
    const path = `/v1/reviews/${encodeURIComponent(taskId)}`
    await api.post(`${path}:claim`, { by })
    await api.post(`${path}:decide`, { by, verdict: 'edit', output: { intent: known.intent, label: known.intent, confidence: 1, sensitive: false }, reason: 'read by a person' })
    decided += 1
  }
  return decided
}
