import { commandTopic, encodeEvent, sha256, taskTopic, TOPICS, type StepCommand } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus/bus'
import type { Output } from '@baton/engine'

const SOURCE = '/baton/routing'
const JSON_TYPE = 'application/json'

/** W3C trace context of one attempt: the trace is the run's own id, the span the attempt's. Derived, so a repeat has the same. */
const traceparentOf = (command: StepCommand): string => `00-${command.rootRunId.slice(-32)}-${sha256(command.attemptId).slice(0, 16)}-01`

/**
 * Lanes take the messages of one key one after the other: steps of a run that stand side by side have keys of their own, attempts at one step
 * share one. Withdrawals of reviews follow their requests, so those have the run's.
 */
const commandKey = ({ service, command: { runId, path } }: Extract<Output, { to: 'command' }>): string =>
  service === 'hitl' ? runId : `${runId}/${path}`

/** What a task topic carries (A16): plain JSON for teams that know nothing of Baton. */
const taskRecord = (output: Extract<Output, { to: 'task' }>): OutgoingRecord => {
  const { runId, path, attemptId, deadlineMs, input, answerPartition, tenant } = output.command
  return {
    topic: taskTopic(output.task),
    key: runId,
    headers: {
      ce_specversion: '1.0',
      ce_id: output.id,
      ce_source: SOURCE,
      ce_type: 'baton.task.requested.v1',
      ce_subject: runId,
      ce_tenant: tenant,
      'content-type': JSON_TYPE,
      traceparent: traceparentOf(output.command),
    },
    value: Buffer.from(JSON.stringify({ runId, step: path, attemptId, deadline: deadlineMs, input, answerPartition })),
  }
}

/** An event that a flow sends into the world: a CloudEvent of the flow's own type, with its data as plain JSON. */
const emittedRecord = ({ id, topic, type, key, tenant, runId, data }: Extract<Output, { to: 'topic' }>, time: string): OutgoingRecord => ({
  topic,
  key,
  headers: {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: SOURCE,
    ce_type: type,
    ce_subject: runId,
    ce_tenant: tenant,
    ce_time: time,
    'content-type': JSON_TYPE,
  },
  value: Buffer.from(JSON.stringify(data)),
})

/** The records of one output. Journal, events and log records stay on the run's own partition. */
export const encodeOutput = (output: Output, run: { tenant: string; partition: number; time: string }): readonly OutgoingRecord[] => {
  const { tenant, partition, time } = run
  switch (output.to) {
    case 'command': {
      const { command } = output
      const event = encodeEvent({
        name: output.contract,
        data: command,
        id: output.id,
        source: SOURCE,
        subject: command.runId,
        tenant,
        time,
        traceparent: traceparentOf(command),
      })
      return [{ topic: commandTopic(output.service, output.priority), ...event, key: commandKey(output) }]
    }
    case 'task':
      return [taskRecord(output)]
    case 'journal': {
      const event = encodeEvent({ ...output.message, id: output.id, source: SOURCE, subject: output.message.data.runId, tenant, time })
      return [{ topic: TOPICS.journal, partition, ...event }]
    }
    case 'result': {
      const { result } = output
      const event = encodeEvent({
        name: output.name,
        data: result,
        id: output.id,
        source: SOURCE,
        subject: result.runId,
        tenant,
        time,
        correlationId: result.requestId,
      })
      const topics = output.topic === undefined ? [TOPICS.results] : [TOPICS.results, output.topic]
      return topics.map((topic) => ({ topic, ...event }))
    }
    case 'withdrawal': {
      // The class of the request itself, so that it cannot be overtaken.
      const { review } = output
      const event = encodeEvent({
        name: 'review.withdraw',
        data: review,
        id: output.id,
        source: SOURCE,
        subject: review.runId,
        tenant,
        time,
      })
      return [{ topic: commandTopic('hitl', output.priority), ...event }]
    }
    case 'topic':
      return [emittedRecord(output, time)]
    case 'log': {
      const event = encodeEvent({ ...output.message, id: output.id, source: SOURCE, subject: output.message.data.runId, tenant, time })
      return [{ topic: TOPICS.events, partition, ...event }]
    }
  }
}
