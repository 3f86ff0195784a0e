/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import { describe, expect, it } from '@jest/globals'
import { openFlow, openPlan, type OpenedFlow } from '../outline/open.ts'
import { stepsOfOutline } from '../outline/outline.ts'
import { EVERYTHING } from '../testing/everything.ts'
import { SAMPLE_FILES, SUPPORT } from '../testing/samples.ts'
import { explainFlow } from './explain.ts'
import { explanationText } from './text.ts'

const opened = (text: string): OpenedFlow => {
  const result = openFlow({ files: new Map([...SAMPLE_FILES, ['support/flow.yaml', text]]), entry: 'support/flow.yaml' })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.flow
}
const support = opened(SUPPORT)
const explained = explainFlow(support)

describe('a flow in plain words', () => {
  it('E1: names every step', () => {
    const text = explanationText(explained)
    for (const { id } of stepsOfOutline(support.outline).filter((step) => !step.id.startsWith('onError'))) expect(text).toContain(id)
    expect(text).toContain('ops/log_error')
  })

  it('says what comes in and what comes out', () => {
    expect(explained.input).toBe('ticket (string), text (string), sensitive (boolean, else false)')
    expect(explained.output).toEqual(['text: answer.text', 'by: answer.by'])
  })

  it('says what each condition leads to', () => {
    expect(explained.steps.find(({ step }) => step === 'answer')?.ways).toEqual([
      { when: 'it.confidence >= params.send', then: 'goes on' },
      { when: 'it.confidence >= params.review', then: 'people: support, normal, 2 h; then goes on' },
      { when: 'input.sensitive', then: 'people: senior, emergency, 30 min; then goes on' },
      { when: 'else', then: 'people: support, low, 6 h; then goes on' },
    ])
  })

  it('says what a failure does: tries, the next model, the handler', () => {
    expect(explained.steps.find(({ step }) => step === 'classify')?.onFailure).toEqual([
      'a try ends after 5 s',
      expect.stringMatching(/^tried 3 times in all/),
      'else the run fails',
    ])
    expect(explained.steps.find(({ step }) => step === 'answer')?.onFailure).toContain('then model haiku-small is asked')
    expect(explained.onFailure.step).toBe('tool ops/log_error; then the run fails')
  })

  it('says who is asked, how soon, what silence does and what leads there', () => {
    expect(explained.people).toHaveLength(4)
    expect(explained.people[0]).toMatchObject({ queue: 'support', withinMs: 7_200_000, asked: 'when facts: unknown', onSilence: 'fails' })
  })

  it('says what each param moves', () => {
    expect(explained.params).toMatchObject([
      { name: 'send', default: 0.8, min: 0.5, max: 1, moves: [{ where: 'answer: gate', expression: 'it.confidence >= params.send' }] },
      { name: 'review', moves: [{ expression: 'it.confidence >= params.review' }] },
    ])
  })

  it('says what cannot be undone and which decision leads to it', () => {
    const { irreversible } = explainFlow(
      opened(`input: { ok: boolean }
steps:
  - ask: { human: { queue: desk, sla: 1h }, returns: { fine: boolean } }
  - pay: { when: ask.fine, tool: bank/pay, effect: irreversible }
`),
    )
    expect(irreversible).toEqual([{ step: 'pay', does: 'tool bank/pay', reached: 'when ask.fine' }])
  })

  it('gives the worst case, and names what states no time or budget', () => {
    expect(explained.worstCase).toMatchObject({ limitTimeMs: 60_000, limitCostMicroUsd: 50_000, withoutCost: ['classify', 'answer'] })
    expect(explained.worstCase?.timeMs).toBeGreaterThan(15_000)
    expect(explained.paths.map(({ ends }) => ends)).toContain('completes')
  })

  it('says the same of a published plan as of its file', () => {
    expect(explainFlow(openPlan(support.plan))).toEqual(explained)
    const everything = opened(EVERYTHING)
    expect(explainFlow(openPlan(everything.plan))).toEqual(explainFlow(everything))
  })

  it('says what starts a flow, whom it asks, and what composed steps do', () => {
    const { triggers, agents, steps } = explainFlow(opened(EVERYTHING))
    expect(triggers).toEqual([
      'a message of topic tickets, once for each event.id, only when event.kind == "ticket"',
      'POST /tickets',
      'at 0 6 * * 1-5 in Europe/Berlin',
      'every 1 h',
    ])
    expect(agents.map(({ name, handoff, minConfidence, checksItself }) => [name, handoff, minConfidence, checksItself])).toEqual([
      ['clerk', [], 0.6, true],
      ['planner', [], null, false],
      ['technician', ['clerk'], null, false],
      ['writer', [], null, false],
    ])
    expect(steps.map(({ step, does }) => `${step}: ${does}`)).toEqual(
      expect.arrayContaining([
        'signals: 3 branches at once, waits for 2',
        'summaries: for each of input.items, 4 at once, at most 50',
        'verdict: weighted of 2 voters, on it.kind',
        'refine: at most 5 rounds until it.score >= 0.9',
        'pause: wait 10 min',
        'paid: wait for payment/confirmed where event.order == input.order',
        'told: emit to orders',
        'child: flow shop/child@stable, at most 0.01 USD',
        'asked: agent clerk, at most 3 turns',
        'routed: agent for classify.kind',
        expect.stringMatching(/^research: team of clerk and technician, planned by planner, put together by writer, at most 1\.00 USD/),
      ]),
    )
  })

  it('says what a param moves in the context of an agent', () => {
    const context = '{ parts: [{ name: rules, from: =params.rules }] }'
    const { params } = explainFlow(
      opened(
        `params: { rules: { type: string, default: none } }\nagents: { a: { prompt: hi, limits: { turns: 1 }, context: ${context} } }\nsteps:\n  - x: { agent: a }\n`,
      ),
    )
    expect(params).toMatchObject([{ name: 'rules', moves: [{ where: 'agents', expression: 'params.rules' }] }])
  })
})
