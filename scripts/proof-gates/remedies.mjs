// Every remedy of a gate, in order, and that the journal has each as an event of its own: re-ask with the error, another prompt, another
// model, reduce, a person, reject, and fail open with log and escalation.
export const title = 'Remedies of a gate, in order, each an event in the journal'
export const not = "whether a remedy helps: what it did is the model's, here told beforehand."

const flow = `flow: proof/remedies@1.0.0
about: An answer that is not good enough gets another chance, in this order.
limits: { time: 1m, total: 1d, steps: 40 }
input: { level: integer, text: string }
steps:
  - answer:
      model: remedy-weak
      prompt: 'level {{ level }} plain. {{ text }}'
      with: { level: =input.level, text: =input.text }
      returns: { score: 0..1, text: string }
      gate:
        - { when: it.score >= 0.8, label: good, then: next }
        - { when: it.score < 0.8 && input.level > 0, label: ask again, then: { retry: { attempts: 1 } } }
        - { when: it.score < 0.8 && input.level > 0, label: another prompt, then: { retry: { attempts: 1, prompt: 'level {{ level }} stricter. {{ text }}' } } }
        - { when: it.score < 0.8 && input.level > 0, label: another model, then: { retry: { attempts: 1, model: remedy-strong } } }
        - when: input.level == 4
          label: reduce
          then:
            do:
              - short: { model: remedy-strong, prompt: 'level {{ level }} short.', with: { level: =input.level }, returns: { score: 0..1, text: string } }
        - when: input.level == 5
          label: a person
          then:
            human: { queue: remedies, priority: normal, sla: 1h, title: What is the answer? }
            with: { text: =input.text, draft: =it }
            returns: { score: 0..1, text: string }
        - when: input.level == 6
          label: open
          then:
            do:
              - told: { tool: ops/log_error, with: { code: proof.open, message: =input.text } }
              - escalated: { emit: proof.open, with: { level: =input.level } }
              - same: { set: { score: 0, text: let through } }
        - { else: fail }
output: { text: =answer.text }
`

const invalidFlow = `flow: proof/reask@1.0.0
limits: { time: 1m, steps: 10 }
input: { text: string }
steps:
  - answer:
      model: remedy-broken
      prompt: 'Say it. {{ text }}'
      with: { text: =input.text }
      returns: { score: 0..1, text: string }
      retry: { attempts: 2, backoff: fixed, delay: 10ms }
output: { text: =answer.text }
`

const given = (asked) => {
  const [, level, kind] = /level (\d) (plain|stricter|short)/.exec(asked) ?? []
  return { level: Number(level), kind, again: asked.includes('could not be used') }
}

const heard = []

export const prepare = ({ upstream }) => {
  upstream.serve({
    // Good at once at level 0; when asked again at 1; when asked in another way at 2.
    'remedy-weak': (asked) => {
      const { level, kind, again } = given(asked)
      heard.push({ model: 'weak', level, kind, again })
      const good = level === 0 || (level === 1 && heard.filter((one) => one.level === 1).length > 1) || (level === 2 && kind === 'stricter')
      return { answer: { score: good ? 0.9 : 0.1, text: `weak ${kind}` } }
    },
    'remedy-strong': (asked) => {
      const { level, kind } = given(asked)
      heard.push({ model: 'strong', level, kind })
      return { answer: { score: level === 3 || kind === 'short' ? 0.95 : 0.1, text: `strong ${kind}` } }
    },
    // Broken until it is told what was wrong.
    'remedy-broken': (asked) => {
      heard.push({ model: 'broken', again: asked.includes('could not be used'), asked })
      return asked.includes('could not be used') ? { answer: { score: 0.7, text: 'mended' } } : '{"score": "high"}'
    },
  })
}

const LADDER = ['ask again', 'another prompt', 'another model']
const EXPECTED = [
  { level: 0, chosen: ['good'], ends: 'completed', text: 'weak plain' },
  { level: 1, chosen: ['ask again', 'good'], ends: 'completed', text: 'weak plain' },
  { level: 2, chosen: [...LADDER.slice(0, 2), 'good'], ends: 'completed', text: 'weak stricter' },
  { level: 3, chosen: [...LADDER, 'good'], ends: 'completed', text: 'strong' },
  { level: 4, chosen: [...LADDER, 'reduce'], ends: 'completed', text: 'strong short' },
  { level: 5, chosen: [...LADDER, 'a person'], ends: 'completed', text: 'said by a person' },
  { level: 6, chosen: [...LADDER, 'open'], ends: 'completed', text: 'let through' },
  { level: 7, chosen: [...LADDER, 'else'], ends: 'failed', text: undefined },
]
const NAMES = [
  'nothing is wrong',
  're-ask',
  'another prompt',
  'another model',
  'reduce',
  'a person',
  'fail open, with log and escalation',
  'reject',
]

export const run = async ({ lab, say }) => {
  await lab.publish(flow)
  await lab.publish(invalidFlow)
  const rows = []
  for (const { level, chosen, ends, text } of EXPECTED) {
    const runId = await lab.start('proof/remedies', { level, text: `level ${level}` })
    if (level === 5) await lab.decide('remedies', runId, { score: 1, text: 'said by a person' })
    const result = await lab.ended(runId)
    const decisions = (await lab.decided(runId)).filter(({ path }) => path === 'answer').map((one) => one.chosen)
    const journal = await lab.journal(runId)
    const extra = level === 6 ? ['told', 'escalated'].every((step) => journal.some(({ data }) => data.path?.endsWith(step))) : true
    const ok =
      JSON.stringify(decisions) === JSON.stringify(chosen) &&
      result.status === ends &&
      (text === undefined || result.output.text.startsWith(text)) &&
      extra
    rows.push({
      what: NAMES[level],
      must: `${chosen.join(', ')}; ${ends}`,
      seen: `${decisions.join(', ')}; ${result.status}${extra ? '' : '; not logged'}`,
      ok,
    })
  }
  const runId = await lab.start('proof/reask', { text: 'hello' })
  const result = await lab.ended(runId)
  const told = heard.filter(({ model }) => model === 'broken')
  const journal = await lab.journal(runId)
  const completed = journal.find(({ type, data }) => type.includes('step.completed') && data.path === 'answer')
  const routed = journal.find(({ type, data }) => type.includes('model.routed') && data.path === 'answer')
  // Every call costs a hundred tokens upstream, and what was paid is in the journal.
  const calls = routed?.data.calls.length ?? completed.data.meter.inputTokens / 100
  say(
    `re-ask with the error: the model was told ${told.length} times, the second time "${(/Your last answer could not be used: [^.]*/.exec(told[1]?.asked ?? '')?.[0] ?? 'nothing').slice(0, 160)}"`,
  )
  rows.push({
    what: 're-ask with the error, within one dispatch',
    must: 'told what was wrong, 2 calls in the journal',
    seen: `${result.status}, told ${told[1]?.again === true}, ${calls} calls${routed === undefined ? '' : ', as model.routed'}`,
    ok: result.status === 'completed' && told[1]?.again === true && calls === 2,
  })
  return rows
}
