import type { Api } from '../api.ts'

/** The desk shows the most urgent tasks; among them are those the reviewer knows. */
const TASKS_SEEN = 100

type Task = { readonly taskId: string; readonly runId: string; readonly path: string; readonly allowed: readonly string[] }

/** What the reviewer of the demo knows about a run: what a person labelled the question as. */
export type Knows = (runId: string) => { readonly intent: string; readonly sensitive: boolean } | undefined

/** Two kinds of task: to say what the customer wants, or to answer where no document does. */
const outputFor = (task: Task, known: NonNullable<ReturnType<Knows>>): object =>
  task.path.startsWith('classify')
    ? { intent: known.intent, confidence: 1, sensitive: known.sensitive }
    : { text: 'Thank you for asking. A colleague has called you back about this.' }

/** Decides up to `decisionsMax` tasks over HTTP, the most urgent first, as a person would. Returns the runs it decided. */
export const reviewSome = async (api: Api, { knows, decisionsMax }: { knows: Knows; decisionsMax: number }): Promise<readonly string[]> => {
  const by = 'demo-reviewer'
  const { items } = await api.get<{ items: readonly Task[] }>(`/v1/reviews?status=pending&limit=${TASKS_SEEN}`)
  const decided: string[] = []
  for (const task of items) {
    if (decided.length === decisionsMax) break
    const known = knows(task.runId)
    if (known === undefined) continue
    const path = `/v1/reviews/${encodeURIComponent(task.taskId)}`
    await api.post(`${path}:claim`, { by })
    const verdict = task.allowed.includes('edit') ? 'edit' : 'respond'
    await api.post(`${path}:decide`, { by, verdict, output: outputFor(task, known), reason: 'read by a person' })
    decided.push(task.runId)
  }
  return decided
}
