// Reviews in the OpenAPI document.
import { json, path, query, type Route } from '../api/route.ts'

const ID = path('id', 'Id of the task')
const act = (action: string, summary: string): Route => ({
  method: 'post',
  path: `/v1/reviews/{id}:${action}`,
  summary,
  parameters: [ID],
  answers: json('The task'),
})
const learned = (what: string, summary: string, about: string): Route => ({
  method: 'get',
  path: `/v1/reviews/learned/${what}`,
  summary,
  parameters: [query('flow', 'Only of this flow'), query('step', 'Only of this step'), query('days', 'How far back; 90 where absent')],
  answers: json(about),
})

export const REVIEW_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/reviews',
    summary: 'Review tasks',
    parameters: [
      query('queue', 'Only of this queue'),
      query('status', 'Only with this status'),
      query('kind', 'Only of this kind'),
      query('person', 'Only of this person'),
    ],
    answers: json('Tasks'),
  },
  {
    method: 'get',
    path: '/v1/reviews/events',
    summary: 'What happens to tasks, as it happens',
    answers: { 200: { about: 'Events', type: 'text/event-stream' } },
  },
  { method: 'get', path: '/v1/reviews/{id}', summary: 'One review task with its context', parameters: [ID], answers: json('The task') },
  act('claim', 'Claim a task'),
  act('release', 'Give a task back'),
  act('reassign', 'Pass a task on to a person or a queue'),
  act('delegate', 'Let somebody stand in for a time'),
  act('decide', 'Decide a task'),
  act('undo', 'Take a decision back while it is held'),
  act('cancel', 'Take a task back'),
  { method: 'post', path: '/v1/reviews/bulk:decide', summary: 'Decide alike tasks together', answers: json('What became of each') },
  { method: 'get', path: '/v1/reviews/{id}/comments', summary: 'Comments of a task', parameters: [ID], answers: json('Comments') },
  {
    method: 'post',
    path: '/v1/reviews/{id}/comments',
    summary: 'Comment on a task',
    parameters: [ID],
    answers: { 201: { about: 'Kept' } },
  },
  { method: 'get', path: '/v1/reviews/{id}/draft', summary: 'What one has written so far', parameters: [ID], answers: json('The draft') },
  { method: 'put', path: '/v1/reviews/{id}/draft', summary: 'Keep what one has written so far', parameters: [ID], answers: json('Kept') },
  {
    method: 'post',
    path: '/v1/reviews/{id}/links',
    summary: 'A link that decides once',
    parameters: [ID],
    answers: { 201: { about: 'The link' } },
  },
  learned('rates', 'How often people overturned', 'Rates by route and confidence'),
  learned('proposal', 'A threshold that follows from decisions', 'The proposal; nothing is applied'),
  learned('cases', 'Decisions as cases for evaluation', 'One JSON a line'),
  learned('hurry', 'People who decide faster than anybody reads', 'People'),
  learned('signatures', 'Whether the signatures are whole', 'How many, and where they break'),
]
