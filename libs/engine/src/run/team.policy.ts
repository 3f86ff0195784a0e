// What a planner asked for, and who is to do it.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { AgentSpec } from '@baton/flow/plan'

/** The subtasks in a planner's answer: the list itself, its field `tasks`, or its first list. */
export const subtasksIn = (plan: Json): readonly Json[] => {
  if (Array.isArray(plan)) return plan
  if (!isJsonObject(plan)) return []
  const tasks = plan['tasks'] ?? plan['subtasks'] ?? Object.values(plan).find(Array.isArray)
  return Array.isArray(tasks) ? tasks : []
}

/** The worker a subtask names, the one that is for its kind, or the only one there is. */
export const workerFor = (task: Json, workers: readonly string[], agents: { readonly [name: string]: AgentSpec }): string | undefined => {
  const fields = isJsonObject(task) ? [task['agent'], task['kind'], task['type'], task['for']] : []
  for (const value of fields) {
    const found = workers.find((name) => name === value) ?? workers.find((name) => agents[name]?.for.some((kind) => kind === value))
    if (found !== undefined) return found
  }
  return workers.length === 1 ? workers[0] : undefined
}
