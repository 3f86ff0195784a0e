// Changes of runs, one and many.
import { IDEMPOTENCY_KEY, json, path, query, RUN_ID, type Route } from './route.ts'

const JOB_ID = path('id', 'Id of the job')

const one = (action: string, summary: string, body: string, about: string): Route => ({
  method: 'post',
  path: `/v1/runs/{id}:${action}`,
  summary,
  parameters: [RUN_ID, IDEMPOTENCY_KEY],
  body,
  answers: { 202: { about } },
})
const many = (action: string, summary: string): Route => ({
  method: 'post',
  path: `/v1/runs:${action}`,
  summary,
  parameters: [IDEMPOTENCY_KEY],
  body: 'Bulk',
  answers: { 202: { about: 'The job that does it' } },
})

export const CONTROL_ROUTES: readonly Route[] = [
  one('cancel', 'Cancel a run', 'Cancel', 'The run will be cancelled, its effects taken back'),
  one('pause', 'Pause a run', 'Pause', 'Nothing more will be asked for'),
  one('resume', 'Let a paused run go on', 'Resume', 'The run will go on'),
  one('retry', 'Run an ended run again', 'Retry', 'The id of the new run'),
  {
    method: 'patch',
    path: '/v1/runs/{id}',
    summary: 'Change input or params of a paused run',
    parameters: [RUN_ID, IDEMPOTENCY_KEY],
    body: 'Patch',
    answers: { 202: { about: 'The run will go on with it' } },
  },
  {
    method: 'post',
    path: '/v1/runs/{id}/events',
    summary: 'Tell a run of an event',
    parameters: [RUN_ID, IDEMPOTENCY_KEY],
    body: 'RunEvent',
    answers: { 202: { about: 'The run will be told' } },
  },
  many('cancel', 'Cancel the runs of a query'),
  many('pause', 'Pause the runs of a query'),
  many('resume', 'Let the paused runs of a query go on'),
  many('retry', 'Run the ended runs of a query again'),
  {
    method: 'get',
    path: '/v1/jobs',
    summary: 'Changes of many runs or dead letters',
    parameters: [query('limit', 'Largest number of items'), query('cursor', 'Where the page before ended')],
    answers: json('Jobs, newest first'),
  },
  { method: 'get', path: '/v1/jobs/{id}', summary: 'How far a job is', parameters: [JOB_ID], answers: json('The job') },
  { method: 'post', path: '/v1/jobs/{id}:cancel', summary: 'Stop a job', parameters: [JOB_ID], answers: json('The job') },
  { method: 'post', path: '/v1/jobs/{id}:pause', summary: 'Let a job rest', parameters: [JOB_ID], answers: json('The job') },
  { method: 'post', path: '/v1/jobs/{id}:resume', summary: 'Let a resting job go on', parameters: [JOB_ID], answers: json('The job') },
]
