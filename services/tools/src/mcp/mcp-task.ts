// A call that the server goes on with on its own, and that is asked after until it is over.
//   K1. It is asked after as often as the server wishes, within bounds; its state is what the server answers, never what it announces.
//   K2. When nobody waits for it any more it is cancelled.
//   K3. It never takes longer than its total.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { z } from 'zod'
import { ToolFailure } from '../tool-run.ts'
import type { Connection } from './connection.adapter.ts'

const POLL_MIN_MS = 50
const POLL_MAX_MS = 10_000
const POLL_MS = 1_000
const CANCEL_TIMEOUT_MS = 2_000
const ANY = z.looseObject({})

export type RemoteTask = { readonly taskId: string; readonly status: string; readonly pollMs: number; readonly whole: JsonObject }
type Following = {
  readonly tool: string
  readonly totalMs: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Answers of people to what a task of the new era wants to know; throws where nobody answered yet. */
  readonly answers: (requests: Json | undefined) => JsonObject
}

/** A task as either era describes it. */
export const readTask = (tool: string, task: Json): RemoteTask => {
  if (!isJsonObject(task) || typeof task['taskId'] !== 'string' || typeof task['status'] !== 'string')
    throw new ToolFailure(new Fault('tool.result_invalid', `${tool} answered with a task that cannot be read`, { tool }), false)
  const { taskId, status, pollIntervalMs, pollInterval } = task
  const wish = pollIntervalMs ?? pollInterval
  const pollMs = typeof wish === 'number' ? Math.min(POLL_MAX_MS, Math.max(POLL_MIN_MS, wish)) : POLL_MS
  return { taskId, status, pollMs, whole: task }
}

/** Tells the server that nobody wants the result any more (K2). */
const cancelTask = async ({ client }: Connection, taskId: string): Promise<void> => {
  await client.request({ method: 'tasks/cancel', params: { taskId } }, ANY, { timeout: CANCEL_TIMEOUT_MS }).catch(() => undefined)
}

const ended = (tool: string, { status, whole }: RemoteTask): ToolFailure => {
  const error = whole['error']
  const says = isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : whole['statusMessage']
  const reason = typeof says === 'string' ? `: ${says.slice(0, 200)}` : ''
  return new ToolFailure(new Fault('tool.failed', `the task of ${tool} is ${status}${reason}`, { tool }), false)
}

/** The old era keeps the result apart, and asks its questions where the result is waited for. */
const resultOf = async (
  { client, era }: Connection,
  { taskId, whole }: RemoteTask,
  { totalMs, signal }: Following,
): Promise<JsonObject> => {
  if (era === 'modern') {
    const { result } = whole
    return isJsonObject(result) ? result : {}
  }
  return (await client.request({ method: 'tasks/result', params: { taskId } }, ANY, { timeout: totalMs, signal })) as JsonObject // a result is JSON
}

const isOver = ({ status }: RemoteTask): boolean => status === 'failed' || status === 'cancelled'

const step = async (connection: Connection, task: RemoteTask, following: Following): Promise<JsonObject | undefined> => {
  const { tool, signal, timeoutMs } = following
  if (isOver(task)) throw ended(tool, task)
  if (task.status === 'completed') return resultOf(connection, task, following)
  if (task.status !== 'input_required') return undefined
  if (connection.era === 'legacy') return resultOf(connection, task, following)
  const inputResponses = following.answers(task.whole['inputRequests'])
  await connection.client.request({ method: 'tasks/update', params: { taskId: task.taskId, inputResponses } }, ANY, {
    timeout: timeoutMs,
    signal,
  })
  return undefined
}

/** The result of a task. Throws `tool.timed_out` when it takes longer than its total (K3). */
export const followTask = async (connection: Connection, begun: RemoteTask, following: Following): Promise<JsonObject> => {
  const { tool, totalMs, timeoutMs, signal } = following
  const until = performance.now() + totalMs
  let task = begun
  let parked = false
  try {
    for (;;) {
      const result = await step(connection, task, following)
      if (result !== undefined) return result
      if (performance.now() >= until)
        throw new ToolFailure(new Fault('tool.timed_out', `the task of ${tool} took longer than ${totalMs} ms`, { tool }), false)
      await sleep(task.pollMs, undefined, { signal }) // K1
      const next = await connection.client.request({ method: 'tasks/get', params: { taskId: task.taskId } }, ANY, {
        timeout: timeoutMs,
        signal,
      })
      task = readTask(tool, next as Json)
    }
  } catch (error) {
    parked = error instanceof Error && error.name === 'AsksPerson'
    throw error
  } finally {
    if (!parked && task.status !== 'completed' && !isOver(task)) void cancelTask(connection, task.taskId) // K2
  }
}
