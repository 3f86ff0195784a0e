// Guards as a field of a step: what goes in and what comes out is looked at, and each action does what it says, in the real engine.
export const title = 'Guards of a step: pass, flag, redact, block, ask'
export const not = 'how well guards find things: scripts/bench-validation.mjs prints that.'

const flow = `flow: proof/guards@1.0.0
limits: { time: 1m, total: 1d, steps: 20 }
input: { text: string }
steps:
  - echo:
      model: guard-echo
      prompt: 'say: {{ text }}'
      with: { text: =input.text }
      guard:
        - secrets
        - pii: { action: redact, actions: { card: ask }, queue: guards }
        - competitors: { names: [Globex], action: flag, on: output }
      onError: { set: =fault.code, then: next }
output: { said: =echo }
`

const heard = []
export const prepare = ({ upstream }) => {
  upstream.serve({
    'guard-echo': (asked) => {
      heard.push(asked)
      return { text: asked.includes('leak') ? 'the address is eve@mail.example' : asked.slice(asked.indexOf('say: ') + 5) }
    },
  })
}

export const run = async ({ lab }) => {
  await lab.publish(flow)
  const say = async (text) => (await lab.run('proof/guards', { text })).output?.said
  const rows = []
  const expect = (what, must, seen, ok) => rows.push({ what, must, seen: String(seen), ok })
  const plain = await say('hello there')
  expect('nothing is found: the content goes on as it is', 'hello there', plain, plain === 'hello there')
  const redacted = await say('write to ann@mail.example please')
  const model = heard.at(-1) ?? ''
  expect(
    'redact, on input: the model never sees it',
    'write to [EMAIL] please',
    `${redacted}; the model saw ${model.includes('ann@') ? 'it' : 'it not'}`,
    redacted === 'write to [EMAIL] please' && !model.includes('ann@'),
  )
  const leaked = await say('leak it')
  expect('redact, on output: nobody behind sees it', 'the address is [EMAIL]', leaked, leaked === 'the address is [EMAIL]')
  const before = heard.length
  const blocked = await say('my key is ghp_abcdefghijklmnopqrstuvwxyz0123456789')
  expect(
    'block, on input: guard.blocked, and the model is not asked',
    'guard.blocked',
    `${blocked}, ${heard.length - before} questions`,
    blocked === 'guard.blocked' && heard.length === before,
  )
  const flagged = await say('Globex is fine')
  expect('flag: it goes on', 'Globex is fine', flagged, flagged === 'Globex is fine')
  const runId = await lab.start('proof/guards', { text: 'card 4111 1111 1111 1111' })
  await lab.edit('guards', runId, { text: 'card of mine' })
  const asked = (await lab.ended(runId)).output?.said
  expect('ask: a person sees it, and what they write goes on in its place', 'card of mine', asked, asked === 'card of mine')
  return rows
}
