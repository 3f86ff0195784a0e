// The HTTP interface as OpenAPI 3.1, made from the same schemas that check requests.
import { z } from 'zod'
import { FAULTS, RunRequest, RunResult } from '@baton/contracts'
import { DiscardBody, RedriveBody } from '../dead-letters/letter-bodies.ts'
import { LETTER_ROUTES } from './letter-routes.ts'
import { AliasBody, RollbackBody } from '../flows/alias.controller.ts'
import { FlowBody } from '../flows/flow.controller.ts'
import { ConfigBody } from '../config/config.controller.ts'
import { PayloadBody } from '../payloads/payload.controller.ts'
import { ParamsBody } from '../params/param.controller.ts'
import { CancelBody, EventBody, PatchBody, PauseBody, ResumeBody, RetryBody } from '../runs/control-bodies.ts'
import { BulkBody } from '../runs/job-bodies.ts'
import { CONTROL_ROUTES } from './control-routes.ts'
import { TriggerBody } from '../triggers/trigger.controller.ts'
import { REVIEW_ROUTES } from '../reviews/review-routes.ts'
import { TOOL_ROUTES } from './tool-routes.ts'
import { TRIGGER_ROUTES } from './trigger-routes.ts'
import { json, path, query, RUN_ID, type Route } from './route.ts'

type Json = { readonly [key: string]: unknown }

const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

const Accepted = z.looseObject({ runId: z.string(), requestId: z.string(), repeat: z.boolean() })
const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(FAULTS)),
  field: z.string().optional(),
})

const FLOW = [path('namespace', 'First part of the name of the flow'), path('name', 'Second part of the name of the flow')]
const PARAM_SCOPE = [query('tenant', 'For this tenant'), query('env', 'In this environment')]

const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/runs',
    summary: 'Start a run',
    body: 'RunRequest',
    parameters: [
      query('wait', 'How long to wait for the result, like 30s'),
      { name: 'Idempotency-Key', in: 'header', description: 'Id of the request; a repeat answers with the first run' },
    ],
    answers: {
      200: { about: 'The result, when it came within the wait', schema: 'RunResult' },
      202: { about: 'The run was started', schema: 'Accepted' },
    },
  },
  {
    method: 'get',
    path: '/v1/runs',
    summary: 'List runs',
    parameters: [
      query('flow', 'Only of this flow'),
      query('status', 'Only with this status: open, running, paused, waiting, completed, failed or cancelled'),
      query('label', 'Only with this label, as name:value'),
      query('root', 'Only this run and all that came of it'),
      query('parent', 'Only runs that steps of this run started'),
      query('cursor', 'Where the page before ended'),
      query('limit', 'Largest number of items'),
    ],
    answers: json('Runs, newest first'),
  },
  {
    method: 'get',
    path: '/v1/runs/{id}',
    summary: 'One run: its result, why it stands where it stands, and who held or changed it',
    parameters: [RUN_ID],
    answers: json('The run'),
  },
  {
    method: 'get',
    path: '/v1/runs/{id}/trace',
    summary: 'The steps of a run as a tree, with the runs they started',
    parameters: [
      RUN_ID,
      query('under', 'Only what is below this step, as findings or findings[17]'),
      query('after', 'Go on behind so many children of the first level'),
      query('limit', 'Children that a level shows, at most 200'),
    ],
    answers: json('The trace'),
  },
  {
    method: 'get',
    path: '/v1/runs/{id}/events',
    summary: 'The journal of a run as it happens',
    parameters: [RUN_ID, { name: 'Last-Event-ID', in: 'header', description: 'Go on behind this event' }],
    answers: { 200: { about: 'Server-sent events', type: 'text/event-stream' } },
  },
  {
    method: 'get',
    path: '/v1/runs/{id}/stream',
    summary: 'The text that models write for a run, while they write it',
    parameters: [RUN_ID, { name: 'Last-Event-ID', in: 'header', description: 'Go on behind this event' }],
    answers: { 200: { about: 'Server-sent events', type: 'text/event-stream' } },
  },
  {
    method: 'post',
    path: '/v1/payloads',
    summary:
      'Keep a picture, sound or file, { mediaType, base64 }, at most 5 MiB; what comes back is an input of type image, audio or file',
    body: 'Payload',
    answers: { 201: { about: 'The reference: { ref, mediaType, bytes }' } },
  },
  {
    method: 'get',
    path: '/v1/runs/{id}/payloads/{ref}',
    summary: 'Content kept by reference',
    parameters: [RUN_ID, path('ref', 'SHA-256 of the content')],
    answers: json('The content'),
  },
  ...CONTROL_ROUTES,
  ...TRIGGER_ROUTES,
  ...REVIEW_ROUTES,
  {
    method: 'get',
    path: '/v1/models/breakers',
    summary: 'Breakers of models and their servers, as the models service sees them',
    answers: json('Breakers'),
  },
  {
    method: 'get',
    path: '/v1/models/budgets',
    summary: 'Budgets: cap, spent and reserved, of all replicas together; how they stand, and when they will be used up',
    answers: json('Budgets'),
  },
  {
    method: 'get',
    path: '/v1/models/cache',
    summary: 'What the cache of answers has spared: hits, misses, savedMicroUsd, since the models service was started',
    answers: json('Savings'),
  },
  {
    method: 'post',
    path: '/v1/models/breakers:retry',
    summary: 'Try a model or server again before its rest is over, { name }; without a name all that rest',
    answers: json('Those that are tried again'),
  },
  {
    method: 'post',
    path: '/v1/models/budgets:forgive',
    summary: 'What was spent of a budget in this period counts no more, { key }',
    answers: json('How much'),
  },
  { method: 'get', path: '/v1/flows', summary: 'Published flows', answers: json('Flows with versions and aliases') },
  {
    method: 'get',
    path: '/v1/flows/{name}',
    summary: 'The plan of a flow',
    parameters: [path('name', 'namespace/name'), query('at', 'Version or alias')],
    answers: json('The plan'),
  },
  {
    method: 'put',
    path: '/v1/flows/{name}',
    summary: 'Publish a flow',
    parameters: [path('name', 'namespace/name')],
    body: 'Flow',
    answers: json('What was published'),
  },
  {
    method: 'get',
    path: '/v1/aliases/{namespace}/{name}',
    summary: 'Where the aliases of a flow point and pointed',
    parameters: [...FLOW, query('alias', 'Only of this alias')],
    answers: json('Moves, newest first'),
  },
  {
    method: 'put',
    path: '/v1/aliases/{namespace}/{name}',
    summary: 'Move an alias to a published version',
    parameters: FLOW,
    body: 'Alias',
    answers: json('Where it points now'),
  },
  {
    method: 'post',
    path: '/v1/aliases/{namespace}/{name}:rollback',
    summary: 'Move an alias back to where it was before its last move',
    parameters: FLOW,
    body: 'Rollback',
    answers: json('Where it points now'),
  },
  {
    method: 'get',
    path: '/v1/params/{namespace}/{name}',
    summary: 'The params of a flow, their values and where they come from',
    parameters: [...FLOW, ...PARAM_SCOPE],
    answers: json('The params'),
  },
  {
    method: 'put',
    path: '/v1/params/{namespace}/{name}',
    summary: 'Change params for all, an environment, a tenant, or a tenant in an environment',
    parameters: FLOW,
    body: 'Params',
    answers: json('The params'),
  },
  {
    method: 'get',
    path: '/v1/params/{namespace}/{name}/history',
    summary: 'Who changed a param, when, from what, to what',
    parameters: [...FLOW, ...PARAM_SCOPE],
    answers: json('Changes, newest first'),
  },
  {
    method: 'get',
    path: '/v1/config/{document}',
    summary: 'A document of configuration: what counts, and what came of the newest one',
    parameters: [path('document', 'models')],
    answers: json('The document'),
  },
  {
    method: 'put',
    path: '/v1/config/{document}',
    summary: 'Exchange a document of configuration; a bad one changes nothing',
    parameters: [path('document', 'models')],
    body: 'Config',
    answers: json('Its version'),
  },
  { method: 'post', path: '/v1/routes:explain', summary: 'Why which model would be asked now', answers: json('The choice') },
  ...LETTER_ROUTES,
  ...TOOL_ROUTES,
  { method: 'get', path: '/v1/tickets', summary: 'Tickets', answers: json('Tickets') },
  { method: 'get', path: '/v1/indexes', summary: 'Search indexes', answers: json('Indexes') },
  {
    method: 'get',
    path: '/v1/stats',
    summary: 'Completion, latency, cost and escalation',
    parameters: [query('flow', 'Only of this flow')],
    answers: json('Figures'),
  },
  { method: 'get', path: '/healthz', summary: 'Alive', answers: json('Alive') },
  { method: 'get', path: '/readyz', summary: 'Ready', answers: json('Ready') },
  { method: 'get', path: '/metrics', summary: 'Metrics', answers: { 200: { about: 'Prometheus text', type: 'text/plain' } } },
]

const content = (type: string, schema: string | undefined): Json => ({
  content: { [type]: { schema: schema === undefined ? {} : { $ref: `#/components/schemas/${schema}` } } },
})

const operation = ({ method, path: url, summary, parameters = [], body, answers }: Route): Json => ({
  operationId: `${method}${url.replaceAll(/[^A-Za-z]+(.)?/g, (_match, next: string | undefined) => (next ?? '').toUpperCase())}`,
  summary,
  ...(parameters.length === 0 ? {} : { parameters: parameters.map((parameter) => ({ ...parameter, schema: { type: 'string' } })) }),
  ...(body === undefined ? {} : { requestBody: { required: true, ...content('application/json', body) } }),
  responses: {
    ...Object.fromEntries(
      Object.entries(answers).map(([status, { about, schema, type }]) => [
        status,
        { description: about, ...content(type ?? 'application/json', schema) },
      ]),
    ),
    default: { description: 'What went wrong (RFC 9457)', ...content('application/problem+json', 'Problem') },
  },
})

/** The document of `/openapi.json`. */
export const openApiDocument = (): Json => {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of ROUTES) (paths[route.path] ??= {})[route.method] = operation(route)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Baton',
      version: '1.0.0',
      description: 'Runs of flows over HTTP. The same requests can be published to the topic baton.requests.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: {
        RunRequest: schemaOf(RunRequest),
        RunResult: schemaOf(RunResult),
        Accepted: schemaOf(Accepted),
        Cancel: schemaOf(CancelBody),
        Pause: schemaOf(PauseBody),
        Resume: schemaOf(ResumeBody),
        Retry: schemaOf(RetryBody),
        Patch: schemaOf(PatchBody),
        RunEvent: schemaOf(EventBody),
        Bulk: schemaOf(BulkBody),
        Flow: schemaOf(FlowBody),
        Alias: schemaOf(AliasBody),
        Rollback: schemaOf(RollbackBody),
        Params: schemaOf(ParamsBody),
        Config: schemaOf(ConfigBody),
        Redrive: schemaOf(RedriveBody),
        Discard: schemaOf(DiscardBody),
        Payload: schemaOf(PayloadBody),
        Trigger: schemaOf(TriggerBody),
        Problem: schemaOf(Problem),
      },
    },
  }
}
