// What starts flows beside requests.
import { IDEMPOTENCY_KEY, json, path, query, type Route } from './route.ts'

const TRIGGER_ID = path('id', 'Id of the trigger')

const hook = (method: 'get' | 'post' | 'put', what: string): Route => ({
  method,
  path: '/hooks/{path}',
  summary: `Start the flow that has this method and path; its event is ${what}`,
  parameters: [path('path', 'Path that a flow names in its triggers'), IDEMPOTENCY_KEY],
  answers: { 200: { about: 'The flow does not want this event' }, 202: { about: 'The run was started' } },
})

export const TRIGGER_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/triggers',
    summary: 'What starts flows: topics, HTTP, schedules',
    parameters: [query('flow', 'Only of this flow')],
    answers: json('Triggers with their next due time and what came of them last'),
  },
  {
    method: 'post',
    path: '/v1/triggers/{id}:pause',
    summary: 'Pause a trigger',
    parameters: [TRIGGER_ID],
    body: 'Trigger',
    answers: json('The trigger'),
  },
  {
    method: 'post',
    path: '/v1/triggers/{id}:resume',
    summary: 'Let a paused trigger go on',
    parameters: [TRIGGER_ID],
    body: 'Trigger',
    answers: json('The trigger'),
  },
  hook('get', 'the query'),
  hook('post', 'the body'),
  hook('put', 'the body'),
]
