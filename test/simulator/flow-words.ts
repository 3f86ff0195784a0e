// Words that all generated flows share.
import type { Json } from '@baton/contracts'

/** What work gives. */
export const RETURNS = { n: 'number', ok: 'boolean', t: 'string' }
/** Events that steps wait for. */
export const EVENTS = ['news/one', 'news/two'] as const

export const AGENTS: Record<string, Json> = {
  clerk: {
    model: 'small',
    prompt: 'Help',
    tools: ['shop/find', 'shop/pay'],
    for: ['order'],
    limits: { turns: 4, calls: 40 },
    handoff: ['expert'],
    returns: RETURNS,
  },
  expert: {
    model: 'large',
    prompt: 'Know',
    tools: ['shop/find'],
    for: ['other'],
    limits: { turns: 3, calls: 40 },
    minConfidence: 0.4,
    selfCheck: 'Is it so?',
    fallback: { tool: 'x/fallback', with: { it: '=it' } },
    returns: { ...RETURNS, confidence: 'number' },
  },
  planner: {
    model: 'small',
    prompt: 'Plan',
    limits: { turns: 2, calls: 9 },
    returns: { tasks: { type: 'list', items: { kind: 'reads | counts', text: 'string' } } },
  },
  reader: { model: 'small', prompt: 'Read', for: ['reads'], tools: ['shop/find'], limits: { turns: 3, calls: 20 }, returns: RETURNS },
  counter: { model: 'small', prompt: 'Count', for: ['counts'], limits: { turns: 2, calls: 9 }, returns: RETURNS },
  writer: { model: 'large', prompt: 'Write', limits: { turns: 2, calls: 9 }, returns: RETURNS },
}

export const INPUT = {
  text: 'string',
  kind: 'order | other',
  n: 'number',
  items: { type: 'list', items: 'number' },
  many: { type: 'list', items: 'number' },
}
/** Limits that are not met. */
export const ROOMY = { time: '3d', total: '30d', steps: 5000, calls: 5000 }
