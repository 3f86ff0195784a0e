// S11: an article from a brief to its publication, which is done once over kill -9, a lost answer and repeated requests.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const title = 'S11: research, write, edit, format, approve, publish once'
export const not = 'what writers and editors of flesh or of silicon would say: here they are functions behind a provider over HTTP.'

const BRIEF = 'How is an effect had only once?'
const QUEUE = 'editors'

/** Writer and editor: the draft quotes its first source, the editor is content with the second round. */
const frontier = (asked) => {
  if (!asked.includes('The draft:')) {
    const quoted = asked
      .slice(asked.indexOf('Sources:') + 8)
      .replaceAll(/\s+|[#*`|\\"{}[\]]/g, ' ')
      .trim()
      .slice(0, 300)
    const address = asked.includes('write to ada') ? ' Write to ada.winter@customers.example.' : ''
    return { answer: { text: `Effects are had once. ${quoted}.${address}` } }
  }
  const text = asked.slice(asked.indexOf('The draft:') + 10, asked.indexOf('text is the edited article')).trim()
  return { answer: text.endsWith('(edited)') ? { text: `${text} (again)`, score: 0.9 } : { text: `${text} (edited)`, score: 0.5 } }
}
const fast = (asked) => {
  const text = asked.slice(asked.indexOf('Channel:'), asked.indexOf('title is at most')).split('\n').slice(1).join(' ').trim()
  return { answer: { title: 'Once, and not twice', html: `<p>${text}</p>` } }
}

const openTarget = async (kit, home, name, ...options) => {
  const args = [join(kit.root, 'examples/publishing/server.mjs'), '--data', join(home.folder, `${name}.sqlite`), '--port', '0', ...options]
  const child = spawn(process.execPath, ['--no-warnings', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  kit.onClose(() => child.kill())
  const [line] = await once(child.stdout, 'data')
  const url = String(line).trim()
  return { url, count: async () => (await fetch(`${url}/articles`)).json(), article: async (at) => (await fetch(at)).json() }
}

const toolsOf = ({ url }, idempotent) => ({
  http: {
    'content/publish': {
      about: 'Publishes an article.',
      method: 'POST',
      url: `${url}/articles`,
      input: {
        type: 'object',
        properties: { channel: { type: 'string' }, title: { type: 'string' }, html: { type: 'string' } },
        required: ['channel', 'title', 'html'],
      },
      effect: 'irreversible',
      ...(idempotent ? { idempotent } : {}),
      reconcile: `${url}/articles/by-key/{key}`,
      trusted: true,
    },
  },
  network: { allow: ['127.0.0.1'] },
})

/** An installation with the flow, an index of the concepts of this repository as its library, and a target. */
const open = async (kit, name, { options = [], idempotent = true } = {}) => {
  const home = kit.home()
  home.flow('flows/s11-content')
  const upstream = await kit.upstream()
  upstream.serve({ writer: frontier, formatter: fast })
  home.route('frontier', ['writer'])
  home.route('fast', ['formatter'])
  const target = await openTarget(kit, home, name, ...options)
  home.config('tools.yaml', JSON.stringify(toolsOf(target, idempotent)))
  const start = () => kit.start(home, { upstream })
  const system = await start()
  await system.lab.cli('flows', 'publish', 'flows/s11-content', '--replace')
  await system.lab.cli('index', 'add', 'library', 'docs/concepts')
  return { target, system, start }
}

const begin = (lab, brief = BRIEF) => lab.start('content/article', { brief, channel: 'blog' })
const approve = (lab, runId, approved = true) => lab.decide(QUEUE, runId, { approved })

const story = async (kit) => {
  const { target, system } = await open(kit, 'story')
  const { lab } = system
  const runId = await begin(lab)
  await approve(lab, runId)
  const { status, output } = await lab.ended(runId)
  const shown = output?.url === undefined || output.url === null ? {} : await target.article(output.url)
  const events = await lab.journal(runId)
  const rounds = new Set(
    events.filter(({ type, data }) => type.includes('step.completed') && /round/.test(data.path ?? '')).map(({ data }) => data.path),
  )
  const refused = await begin(lab)
  await approve(lab, refused, false)
  const no = await lab.ended(refused)
  const leaking = await lab.run('content/article', { brief: `${BRIEF} And write to ada`, channel: 'blog' })
  const again = await Promise.all(
    Array.from(
      { length: 3 },
      async () =>
        (await lab.good('POST', '/v1/runs', { flow: 'content/article', id: 'brief-7', input: { brief: BRIEF, channel: 'blog' } })).runId,
    ),
  )
  await approve(lab, again[0])
  await lab.ended(again[0])
  const { articles, requests } = await target.count()
  return [
    kit.row('written from the library, edited, approved, published', ['completed', true], [status, output?.published]),
    kit.row('rounds of the editor: until the score is good', 2, rounds.size),
    kit.row(
      'the article at its address, after two rounds',
      ['Once, and not twice', true],
      [shown.title, /effect/i.test(shown.html ?? '') && /\(again\)/.test(shown.html ?? '')],
    ),
    kit.row('what the editor refuses is not published', ['completed', false], [no.status, no.output?.published]),
    kit.row(
      'personal data in the text stop it before anybody is asked',
      ['failed', 'guard.blocked'],
      [leaking.status, leaking.fault?.code],
    ),
    kit.row('one brief, requested three times with one id: runs', 1, new Set(again).size),
    kit.row('articles after all of that, and requests to publish', [2, 2], [articles.length, requests]),
  ]
}

/** Ends Baton with kill -9 after the article is there and before the answer is, and starts it again over the same folder. */
const killed = async (kit, { name, what, ...more }) => {
  const { target, system, start } = await open(kit, name, more)
  const runId = await begin(system.lab)
  await approve(system.lab, runId)
  await system.lab.until('the article to be there', async () => (await target.count()).articles.length > 0, {
    timeoutMs: 60_000,
    everyMs: 20,
  })
  await system.stop('SIGKILL')
  const before = await target.count()
  const { lab } = await start()
  const { status, output } = await lab.ended(runId)
  const { articles, requests } = await target.count()
  const shown = typeof output?.url === 'string' ? await target.article(output.url) : {}
  kit.say(`${name}: asked to publish ${before.requests} time(s) before kill -9, ${requests} in all`)
  return [
    kit.row(
      `${what}: how the run ends, articles published, its address leads to one`,
      ['completed', 1, 'Once, and not twice'],
      [status, articles.length, shown.title],
    ),
  ]
}

const lost = async (kit) => {
  const { target, system } = await open(kit, 'lost', { options: ['--lose', '1', '--keyless'], idempotent: false })
  const runId = await begin(system.lab)
  await approve(system.lab, runId)
  const { status } = await system.lab.ended(runId)
  const { articles, requests } = await target.count()
  return [
    kit.row(
      'the answer is lost after the effect, at a server without keys: found by asking',
      ['completed', 1, 1],
      [status, articles.length, requests],
    ),
  ]
}

export const run = async (kit) => [
  ...(await story(kit)),
  ...(await killed(kit, { name: 'keyed', what: 'kill -9 between effect and answer, server with keys', options: ['--slow', '20000'] })),
  ...(kit.quick
    ? []
    : await killed(kit, {
        name: 'keyless',
        what: 'the same, server that publishes twice when asked twice',
        options: ['--slow', '20000', '--keyless'],
        idempotent: false,
      })),
  ...(kit.quick ? [] : await lost(kit)),
]
