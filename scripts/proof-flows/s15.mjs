// S15: agents review an applicant's papers side by side and share what they find, a person signs, two where the risk is higher, and only then
// the account is opened. Accounts and numbers are counted in the SQLite file of the office; the signature is read where it is kept.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openPlace, row } from './_place.mjs'

export const title = 'S15: agents share findings, a human signs, an account is opened once'
export const not = 'how well real models read papers: all of them are functions here, and the papers are pictures of one pixel.'

const FLOW = 'onboarding/account'
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const textOf = ({ content }) => (typeof content === 'string' ? content : JSON.stringify(content ?? ''))
const asText = ({ messages }) => messages.map(textOf).join('\n')
const finding = (topic, text, confidence = 0.9) => ({ answer: { topic, text, sources: [topic], confidence } })

const identity = (asked, body) =>
  asText(body).includes('Doubt Ful') ? finding('identity', 'Perhaps?', 0.3) : finding('identity', 'The name is that of the passport.')
const completeness = () => finding('completeness', 'Proof of address is there, the contract is signed.')

/** Looks the name up by the tool, then tells what it found. */
const risk = (body) => {
  const given = body.messages.findLast(({ role }) => role === 'tool')
  const [, name = ''] = /"?name"?: *"?([A-Z]\w+ [A-Z]\w+)/.exec(asText(body)) ?? []
  if (given === undefined) {
    const tool = body.tools?.find(({ function: { name: one } }) => one.includes('lookup'))?.function.name
    return tool === undefined ? { status: 500 } : { calls: [{ tool, arguments: { name } }] }
  }
  const list = /"list": *"([^"]+)"|list: ([^\n]+)/.exec(textOf(given))
  return finding('risk', list === null ? 'On no list.' : `On a list: ${list[1] ?? list[2]}.`)
}
const report = (body) => {
  const seen = asText(body)
  const topics = ['The name is that of', 'Proof of address', 'list'].filter((text) => seen.includes(text)).length
  return { answer: { summary: `${topics} findings`, risk: seen.includes('On a list') ? 0.6 : 0.1 } }
}
const frontier = (asked, body) => {
  const seen = asText(body)
  if (seen.includes('You look the applicant up')) return risk(body)
  if (seen.includes('Another agent was not sure')) return finding('identity', 'The name is that of the passport, looked at twice.')
  return report(body)
}

const counts = (file) => {
  const db = new DatabaseSync(file, { readOnly: true })
  const one = (sql) => Object.values(db.prepare(sql).get())[0]
  const found = {
    accounts: one('select count(*) from accounts'),
    reserved: one('select count(*) from numbers where released = 0'),
    released: one('select count(*) from numbers where released = 1'),
  }
  const last = db.prepare('select account, application, name, signed_by from accounts order by rowid desc limit 1').get()
  db.close()
  return { ...found, last: last === undefined ? undefined : { ...last } }
}

const apply = async (place, name, id) => {
  const papers = []
  for (const mediaType of ['image/png', 'image/png'])
    papers.push(await place.lab.good('POST', '/v1/payloads', { mediaType, base64: PIXEL }))
  const documents = papers.map(({ ref, mediaType, bytes }) => ({ ref, mediaType, bytes }))
  return place.lab.start(FLOW, { id, name, country: 'DE', documents })
}
const sign = async (place, queue, runId, approved, by = 'ada') => {
  const task = await place.lab.until(`the task of ${runId} in ${queue}`, async () =>
    (await place.lab.good('GET', `/v1/reviews?queue=${queue}`)).items.find((item) => item.runId === runId),
  )
  const body = { by, verdict: 'respond', output: { approved, reason: 'looked at the papers' }, reason: 'looked at the papers' }
  await place.lab.good('POST', `/v1/reviews/${task.taskId}:decide`, body)
  return task
}

const opened = async (place, file) => {
  const runId = await apply(place, 'Ann Lee', 'a-1')
  await place.lab.settled(runId)
  const unsigned = counts(file).accounts
  const reporter = asText(
    place.requests('frontier-sees').findLast((body) => asText(body).includes('You put findings together')) ?? { messages: [] },
  )
  const papers = JSON.stringify(place.upstream.requests('vision-sees-1').at(-1)?.messages ?? '').split(PIXEL.slice(0, 40)).length - 1
  const before = await place.lab.good('GET', '/v1/reviews/learned/signatures')
  await place.again('SIGKILL')
  const task = await sign(place, 'onboarding', runId, true)
  const { status, output } = await place.lab.ended(runId)
  const after = await place.lab.good('GET', '/v1/reviews/learned/signatures')
  const found = counts(file)
  const shown = JSON.stringify(await place.lab.good('GET', `/v1/reviews/${task.taskId}`))
  return [
    row('the papers reach the agent that compares them, by reference', 2, papers),
    row(
      'the agent that reports sees what all three found',
      { identity: true, completeness: true, risk: true },
      {
        identity: reporter.includes('that of the passport'),
        completeness: reporter.includes('Proof of address is there'),
        risk: reporter.includes('On no list.'),
      },
    ),
    row(
      'so does the person who signs',
      true,
      ['that of the passport', 'Proof of address is there', 'On no list.'].every((text) => shown.includes(text)),
    ),
    row('before the signature nothing is opened', 0, unsigned),
    row(
      'kill -9, then a person signs: one account, in their name',
      { status: 'completed', opened: true, accounts: 1, signedBy: 'human:ada' },
      { status, opened: output?.opened, accounts: found.accounts, signedBy: found.last?.signed_by },
    ),
    row('the answer names the account of the office', found.last?.account, output?.account),
    row(
      'the signature is in the audit, whose chain is whole',
      { more: 1, brokenAt: null },
      { more: after.signatures - before.signatures, brokenAt: after.brokenAt },
    ),
  ]
}

const others = async (place, file) => {
  const rows = []
  const refusedId = await apply(place, 'Bo Tran', 'a-2')
  await sign(place, 'onboarding', refusedId, false)
  const refused = await place.lab.ended(refusedId)
  rows.push(
    row(
      'who does not sign keeps it closed',
      { opened: false, accounts: 1 },
      { opened: refused.output?.opened, accounts: counts(file).accounts },
    ),
  )
  const listed = await apply(place, 'Viktor Almgren', 'a-3')
  await sign(place, 'onboarding', listed, true, 'ada')
  const between = (await place.lab.settled(listed)).status
  const one = counts(file).accounts
  await sign(place, 'onboarding-senior', listed, true, 'bob')
  const both = await place.lab.ended(listed)
  rows.push(
    row(
      'a name on a list: the register is looked into, and one signature is not enough',
      { ended: false, accounts: 1 },
      { ended: between === 'completed', accounts: one },
    ),
  )
  rows.push(
    row(
      'the second opens it',
      { opened: true, accounts: 2, signedBy: 'human:bob' },
      { opened: both.output?.opened, accounts: counts(file).accounts, signedBy: counts(file).last?.signed_by },
    ),
  )
  const before = place.requests('frontier-sees').length
  const unsure = await apply(place, 'Doubt Ful', 'a-4')
  await sign(place, 'onboarding', unsure, true)
  const result = await place.lab.ended(unsure)
  const asked = place.requests('frontier-sees').slice(before)
  const examiner = asked.filter((body) => asText(body).includes('Another agent was not sure')).length
  rows.push(
    row(
      'an agent that is less sure than 0.6 is stood in for',
      { opened: true, degraded: ['agent.unsure'], examiner: 1 },
      { opened: result.output?.opened, degraded: result.degraded, examiner },
    ),
  )
  const end = counts(file)
  rows.push(
    row(
      'in the end: three accounts, three numbers',
      { accounts: 3, reserved: 3, released: 0 },
      { accounts: end.accounts, reserved: end.reserved, released: end.released },
    ),
  )
  return rows
}

export const run = async (kit) => {
  const seeing = (model) => ({ provider: 'openai', model, can: ['tools', 'jsonSchema', 'vision'], price: { input: 0.15, output: 0.6 } })
  const place = await openPlace(kit, {
    flows: ['flows/s15-onboarding'],
    serve: { 'frontier-sees': frontier, 'vision-sees': identity, 'fast-sees': completeness },
    specs: { vision: seeing('vision-sees-1'), fast: seeing('fast-sees-1'), frontier: seeing('frontier-sees-1') },
    config: { 'people.yaml': 'queues:\n  onboarding: { sign: true }\n  onboarding-senior: { sign: true }\n' },
  })
  const file = join(place.home.folder, 'data', 'accounts.sqlite')
  // The office opens its file at the first look-up.
  const first = await apply(place, 'Nobody Else', 'a-0')
  await sign(place, 'onboarding', first, false)
  await place.lab.ended(first)
  return [...(await opened(place, file)), ...(await others(place, file))]
}
