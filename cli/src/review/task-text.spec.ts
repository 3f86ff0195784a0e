import { describe, expect, it } from '@jest/globals'
import { taskText, type ShownTask } from './task-text.ts'

const task: ShownTask = {
  taskId: 'rev_1',
  runId: 'run_1',
  flow: 'shop/desk',
  path: 'answer',
  queue: 'support',
  priority: 'high',
  title: 'Is this right?',
  status: 'claimed',
  claimedBy: 'ann',
  allowed: ['approve', 'reject'],
  terms: { risk: 'irreversible', rejections: { tone: 'Be kinder.' } },
  context: {
    question: { text: 'Where is it?' },
    proposal: 'On its way.',
    confidence: 0.62,
    reasons: ['below 0.8'],
    rule: 'unsure',
    sources: null,
    conversation: null,
    differences: [{ at: '/text', from: 'No.', to: 'On its way.' }],
    costUsd: 0.0012,
    deadlineMs: 61_000,
  },
}

describe('a task at a terminal', () => {
  it('has everything needed to decide, and what to type', () => {
    const text = taskText(task, 1_000)
    for (const part of [
      'rev_1, claimed by ann',
      'support, high, irreversible',
      'in 60.0 s',
      'below 0.8, rule unsure',
      '0.62',
      '0.0012 USD',
      '"text": "Where is it?"',
      '  On its way.',
      '/text: "No." -> "On its way."',
      'allowed: approve, reject; reasons for rejecting: tone',
      'baton reviews decide rev_1 --verdict approve',
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('sources')
  })

  it('says how long it is overdue, and of a closed one what it was and whose', () => {
    expect(taskText(task, 121_000)).toContain('60.0 s ago')
    const closed = taskText({ ...task, status: 'decided', decision: { verdict: 'reject', by: 'bob', reason: 'rude' } }, 1_000)
    expect(closed).toContain('reject by bob: rude')
    expect(closed).not.toContain('baton reviews decide')
  })
})
