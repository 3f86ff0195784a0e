// What there is to ask about tools, and about those of MCP servers that are not what was accepted.
import { json, query, type Route } from './route.ts'

export const TOOL_ROUTES: readonly Route[] = [
  { method: 'get', path: '/v1/tools', summary: 'Registered tools', answers: json('Tools') },
  { method: 'get', path: '/v1/tools/servers', summary: 'MCP servers: connections and failures', answers: json('Servers') },
  {
    method: 'post',
    path: '/v1/tools/refresh',
    summary: 'Ask MCP servers for their tools now',
    answers: json('Tools by server, or why not'),
  },
  {
    method: 'get',
    path: '/v1/tools/changes',
    summary: 'Tools of MCP servers that are off because they are not what was accepted',
    parameters: [query('tool', 'Only this one, as server/tool')],
    answers: json('What changed'),
  },
  {
    method: 'post',
    path: '/v1/tools/accept',
    summary: 'Accept a tool as it was looked at: tool, fingerprint, by',
    answers: json('The tool as it is accepted now'),
  },
]
