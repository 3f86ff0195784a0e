// Dead letters: what is there, and what is done with it.
import { IDEMPOTENCY_KEY, json, path, query, type Route } from './route.ts'

const ID = path('id', 'Service and place, like tools-17')
const FILTER = [
  query('service', 'Only of this service'),
  query('fingerprint', 'Only of this fingerprint'),
  query('code', 'Only with this code of the fault'),
  query('tenant', 'Only of this tenant'),
  query('since', 'Only those that came then or later: ISO 8601, milliseconds since 1970, or how long ago, like 2h or 7d'),
  query('state', 'open (the default), redriven, discarded or all'),
  query('limit', 'Largest number of items'),
  query('cursor', 'Where the page before ended'),
]
const WAIT = query('wait', 'How long to wait for it to be done, like 10s; 2s when nothing is said')

const many = (action: string, summary: string, body: string): Route => ({
  method: 'post',
  path: `/v1/dead-letters:${action}`,
  summary,
  parameters: [IDEMPOTENCY_KEY, WAIT],
  body,
  answers: { 200: { about: 'What was done, or would be' }, 202: { about: 'How far it is; the job goes on' } },
})

export const LETTER_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'Messages that could not be handled',
    parameters: FILTER,
    answers: json('Dead letters, service by service, oldest first'),
  },
  {
    method: 'get',
    path: '/v1/dead-letters/groups',
    summary: 'Dead letters by fingerprint: how many, since when, in which services',
    parameters: FILTER,
    answers: json('Groups, the one that was met last first'),
  },
  {
    method: 'get',
    path: '/v1/dead-letters/{id}',
    summary: 'One dead letter: cause, tries, message with secrets masked, what was done with it',
    parameters: [ID, query('raw', 'true: with the bytes and headers as they are')],
    answers: json('The dead letter'),
  },
  {
    method: 'get',
    path: '/v1/dead-letters/{service}/{offset}',
    summary: 'The same, by service and place',
    parameters: [path('service', 'Name of the service'), path('offset', 'Its place')],
    answers: json('The dead letter'),
  },
  many('redrive', 'Send dead letters back to where they failed, as they are or changed', 'Redrive'),
  many('discard', 'Put dead letters away, with the reason', 'Discard'),
]
