// S5: three agents over one buffer. What each model was sent is read at the provider: a slow extraction reaches the next agent whole, one that
// is longer than the window is told in short and said to be, entries expire, and who is not sure hands over.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPlace, row } from './_place.mjs'

export const title = 'S5: three agents over shared findings'
export const not = 'how well real models extract, summarise and decide: all of them are functions here.'

const FLOW = 'agents/three'
const SLOW_MS = 6_000
const asText = ({ messages }) =>
  messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content ?? ''))).join('\n')
const ROLES = {
  extractor: 'You read the documents',
  summariser: 'You summarise the findings',
  decider: 'You decide a case',
  check: 'Does each reason rest',
  generalist: 'Another agent was not sure',
}
const roleOf = (body) => Object.keys(ROLES).find((role) => asText(body).includes(ROLES[role]))
const caseOf = (body) => /case-[a-z-]+/.exec(asText(body))?.[0] ?? ''

const sentences = (count) =>
  Array.from({ length: count }, (_, at) => `Statement ${at + 1} says that crate ${at + 1} weighs ${100 + at} kilograms.`)
const LONG = sentences(60).join(' ')
const HUGE = sentences(900).join(' ')

const finding = (text, confidence = 0.9) => ({ answer: { text, sources: ['document 1'], confidence } })
const verdict = (confidence = 0.9) => ({ answer: { verdict: 'accept', reasons: ['all crates are there'], confidence } })

/** Each agent by its role; a case says in its name what happens to it. */
const play = (_asked, body) => {
  const [role, name] = [roleOf(body), caseOf(body)]
  switch (role) {
    case 'extractor':
      if (name === 'case-slow') return { delayMs: SLOW_MS, ...finding(LONG) }
      if (name === 'case-unsure') return finding('Perhaps?', 0.4)
      return finding(name === 'case-huge' ? HUGE : LONG)
    case 'summariser':
      return name === 'case-short-lived' ? { delayMs: 5_000, ...finding('Sixty crates.') } : finding('Sixty crates.')
    case 'generalist':
      return finding('Looked at twice: sixty crates.')
    default:
      return verdict()
  }
}

const filesOf = (folder) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /^(flow\.yaml|prompts\/.*|schemas\/.*)$/.test(name) && /\.\w+$/.test(name))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )

/** Whom a run asked, in order, and what each was sent. */
const sentIn = (place, name) =>
  ['fast', 'frontier']
    .flatMap((route) => place.requests(route))
    .filter((body) => caseOf(body) === name)
    .map((body) => ({ role: roleOf(body), text: asText(body) }))
const of = (sent, role) => sent.find((one) => one.role === role)?.text ?? ''

const whole = async (place) => {
  const { status, output } = await place.lab.run(FLOW, { case: 'case-plain', documents: ['Sixty crates.'] })
  const sent = sentIn(place, 'case-plain')
  const begunMs = performance.now()
  const slow = await place.lab.run(FLOW, { case: 'case-slow', documents: ['Sixty crates.'] })
  const tookMs = performance.now() - begunMs
  const later = sentIn(place, 'case-slow')
  return [
    row(
      'each agent is asked once, and the decider looks at its own decision',
      { status: 'completed', asked: ['extractor', 'summariser', 'decider', 'check'].toSorted() },
      { status, asked: sent.map(({ role }) => role).toSorted() },
    ),
    row(
      'the decider sees the extraction and the summary',
      { extraction: true, summary: true },
      { extraction: of(sent, 'decider').includes(LONG), summary: of(sent, 'decider').includes('Sixty crates.') },
    ),
    row(
      'both are in the result, nothing was left out',
      { findings: 2, leftOut: [] },
      { findings: output?.findings?.length, leftOut: output?.leftOut },
    ),
    row(
      `an extraction that takes ${SLOW_MS / 1_000} s reaches the next agent whole`,
      { slow: true, whole: true, cut: false, status: 'completed' },
      {
        slow: tookMs >= SLOW_MS,
        whole: of(later, 'summariser').includes(LONG),
        cut: of(later, 'summariser').includes('left out'),
        status: slow.status,
      },
    ),
  ]
}

const tooLong = async (place) => {
  const runId = await place.lab.start(FLOW, { case: 'case-huge', documents: ['Nine hundred crates.'] })
  await place.lab.settled(runId)
  const trace = JSON.stringify(await place.lab.trace(runId))
  const sent = sentIn(place, 'case-huge')
  const task = await place.lab.decide('cases', runId, { verdict: 'refuse', reasons: ['crate 900 is missing'], confidence: 1 })
  const { status, output } = await place.lab.ended(runId)
  const shown = of(sent, 'summariser')
    .split('\n')
    .filter((line) => line.includes('Statement'))
  const known = new Set(sentences(900))
  const kept = shown.flatMap((line) => line.match(/Statement \d+ says that crate \d+ weighs \d+ kilograms\./g) ?? [])
  return [
    row(
      `an extraction of ${HUGE.length} characters, longer than the window of 6,000 tokens: the text says that it is told in short`,
      true,
      /\[of 1 earlier entries, their most telling sentences:\]/.test(of(sent, 'summariser')),
    ),
    row(
      'what is left is whole sentences of it',
      { some: true, known: true },
      { some: kept.length > 20, known: kept.every((one) => known.has(one)) },
    ),
    row(
      'the trace says which part lost how much',
      (text) => /"part":"findings".*"tokens":\d+/.test(text),
      /"leftOut":(\[[^\]]*\])/.exec(trace)?.[1] ?? 'nothing',
      'findings, tokens',
    ),
    row(
      'a person is asked, who sees all of it',
      true,
      JSON.stringify(await place.lab.good('GET', `/v1/reviews/${task.taskId}`)).includes('Statement 900 says'),
    ),
    row(
      'and whose decision counts; the result says what was not seen',
      { status: 'completed', decision: 'refuse', by: 'human:ada', left: 'findings' },
      { status, decision: output?.decision, by: output?.by, left: output?.leftOut?.[0]?.part },
    ),
  ]
}

const handedOver = async (place) => {
  const { status, output, degraded } = await place.lab.run(FLOW, { case: 'case-unsure', documents: ['Unclear.'] })
  const asked = sentIn(place, 'case-unsure').map(({ role }) => role)
  return [
    row(
      'an extraction that is less sure than 0.6 is made again by the generalist',
      { status: 'completed', degraded: ['agent.unsure'], generalist: 1, first: 'Looked at twice: sixty crates.' },
      { status, degraded, generalist: asked.filter((role) => role === 'generalist').length, first: output?.findings?.[0]?.text },
    ),
  ]
}

const expired = async (place, root) => {
  const files = filesOf(join(root, 'flows', 's05-three-agents'))
  files['flow.yaml'] = files['flow.yaml'].replace('agents/three@1.0.0', 'agents/three-short@1.0.0').replace('expires: 10m', 'expires: 3s')
  await place.lab.good('PUT', '/v1/flows/agents/three-short', { files })
  const { status, output } = await place.lab.run('agents/three-short', { case: 'case-short-lived', documents: ['Sixty crates.'] })
  const sent = sentIn(place, 'case-short-lived')
  return [
    row(
      'a buffer of 3 s, and a summary that takes 5: the extraction is gone for the decider, the summary is there',
      { status: 'completed', seenBySummariser: true, seenByDecider: false, findings: ['Sixty crates.'] },
      {
        status,
        seenBySummariser: of(sent, 'summariser').includes(LONG),
        seenByDecider: of(sent, 'decider').includes(LONG),
        findings: output?.findings?.map(({ text }) => text),
      },
    ),
  ]
}

export const run = async (kit) => {
  const place = await openPlace(kit, { flows: ['flows/s05-three-agents'], serve: { fast: play, frontier: play } })
  return [...(await whole(place)), ...(await tooLong(place)), ...(await handedOver(place)), ...(await expired(place, kit.root))]
}
