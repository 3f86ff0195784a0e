// S7: a code assistant over a repository: the committed sample, with files that must not be seen put beside it. What the models were sent is
// read at the provider.
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openPlace, row } from './_place.mjs'

export const title = 'S7: a code assistant over a repository'
export const not = 'how good the code is: both models are functions here.'

const FLOW = 'code/assistant'
/** What is read of one file at most. */
const FILE_BYTES_MAX = 65_536
const SECRET = 'the-harbour-has-seven-keys'
const asText = ({ messages }) => messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))).join('\n')

const SERVE = {
  fast: () => ({ answer: { changes: [{ path: 'src/price.js', text: '  return rate' }], confidence: 0.9 } }),
  reasoning: () => ({
    answer: { changes: ['src/price.js', 'src/cart.js'].map((path) => ({ path, text: `// ${path}` })), confidence: 0.5 },
  }),
  frontier: () => ({ status: 503 }),
}

/** The sample, and beside it what nobody may see: ignored, outside, behind a link, too large, no text. */
const buildRepository = (root, folder) => {
  const repository = join(folder, 'repository')
  cpSync(join(root, 'flows', 's07-code-assistant', 'sample'), repository, { recursive: true })
  const put = (path, text) => {
    mkdirSync(dirname(join(repository, path)), { recursive: true })
    writeFileSync(join(repository, path), text)
  }
  for (const path of ['.env', 'dist/rates.js', 'debug.log', 'private/rates.js', '.git/config', '../outside.js'])
    put(path, `rates ${SECRET}`)
  put('private/README.md', 'rates of the past')
  put('src/large.js', `// rates\n${'x'.repeat(FILE_BYTES_MAX)}`)
  put('src/picture.bin', Buffer.from([1, 0, 2]))
  symlinkSync(join(folder, 'outside.js'), join(repository, 'src', 'link.js'))
  return repository
}

const FILE = { path: 'src/price.js', text: 'export const priceOf = ({ grams, zone }) => {\n  const rate = RATES[zone]\n' }
const TAB = { path: 'notes.md', text: 'The rates of the zones are in cents.' }
const EDIT = { task: 'edit', instruction: 'Give the rates of each zone a heavy surcharge in priceOf and totalOf', file: FILE, tabs: [TAB] }

/** What became of a run, and whom it asked. */
const play = async (place, input) => {
  const before = Object.fromEntries(Object.keys(SERVE).map((route) => [route, place.requests(route).length]))
  const runId = await place.lab.start(FLOW, input)
  const result = await place.lab.ended(runId)
  const asked = Object.keys(SERVE).filter((route) => place.requests(route).length > before[route])
  const sent = asked.length === 0 ? '' : asText(place.requests(asked.at(-1)).at(-1))
  return { ...result, runId, asked, sent }
}
const block = (sent, name) => new RegExp(`<${name}>\\n([\\s\\S]*?)\\n</${name}>`).exec(sent)?.[1] ?? ''

const tasks = async (place) => {
  const line = await play(place, { task: 'completion', file: FILE, tabs: [TAB] })
  const edit = await play(place, { ...EDIT, mentioned: ['src/cart.js'] })
  return [
    row('a completion goes to the fast model alone', { asked: ['fast'], by: 'model:fast-1' }, { asked: line.asked, by: line.output?.by }),
    row(
      'which sees the open file and the tabs',
      { file: true, tabs: true },
      { file: line.sent.includes(FILE.text.trim()), tabs: line.sent.includes(TAB.text) },
    ),
    row(
      'an edit of several files goes to the reasoning model, and its doubt is told',
      { asked: ['reasoning'], files: 2, unsure: true },
      { asked: edit.asked, files: edit.output?.changes?.length, unsure: edit.output?.unsure },
    ),
    row(
      'which sees the open file, the tabs, what was mentioned, what was found and the outline',
      { file: true, tabs: true, named: true, found: true, outline: true },
      {
        file: block(edit.sent, 'file').includes('const rate = RATES[zone]'),
        tabs: block(edit.sent, 'tabs').includes(TAB.text),
        named: block(edit.sent, 'named').includes('the tenth and each after it costs half'),
        found: block(edit.sent, 'repository').includes('const RATES ='),
        outline: ['src/cart.js', 'src/index.js', 'private/README.md'].every((path) => block(edit.sent, 'outline').includes(path)),
      },
    ),
    row(
      'and nothing that .gitignore leaves out, nor .git, nor what a link leads to',
      [],
      ['.env', 'dist/', 'debug.log', 'private/rates', '.git/', 'link.js', SECRET].filter((one) => edit.sent.includes(one)),
    ),
  ]
}

const refusals = async (place) => {
  const rows = []
  const refused = [
    ['a path that leads up', '../outside.js'],
    ['one that leads up on the way', 'src/../../outside.js'],
    ['an absolute one', '/etc/hostname'],
    ['one with other slashes', String.raw`..\outside.js`],
    ['a link that leads out', 'src/link.js'],
    ['what .gitignore leaves out', '.env'],
    ['a folder that it leaves out', 'dist/rates.js'],
    ['what it takes back is not: .gitignore of git itself', '.git/config'],
    ['a file that is too large', 'src/large.js'],
    ['a file that is no text', 'src/picture.bin'],
  ]
  for (const [what, path] of refused) {
    const { status, degraded, sent } = await play(place, { ...EDIT, mentioned: [path] })
    const must = { status: 'completed', degraded: ['tool.arguments_invalid'], named: '', secret: false }
    rows.push(row(`mentioned: ${what}`, must, { status, degraded, named: block(sent, 'named'), secret: sent.includes(SECRET) }))
  }
  const back = await play(place, { ...EDIT, mentioned: ['private/README.md'] })
  rows.push(row('mentioned: what .gitignore takes back', true, block(back.sent, 'named').includes('rates of the past')))
  return rows
}

const windows = async (place) => {
  const long = Array.from({ length: 40 }, (_, at) => ({ path: `tab${at}.js`, text: `const value${at} = compute(${at})\n`.repeat(120) }))
  const many = await play(place, { ...EDIT, tabs: long })
  const left = /"leftOut":(\[[^\]]*\])/.exec(JSON.stringify(await place.lab.trace(many.runId)))?.[1] ?? 'nothing'
  const huge = await play(place, { ...EDIT, file: { path: 'a.js', text: 'const a = [1, 2, 3].map((one) => one * 2)\n'.repeat(4_000) } })
  return [
    row(
      'more tabs than there is room for: the model is told in the text',
      true,
      /\[\d+ tokens left out here: the end\]/.test(block(many.sent, 'tabs')),
    ),
    row('and the trace says which part lost how much', (text) => /"part":"tabs".*"tokens":\d+/.test(text), left, 'tabs, tokens'),
    row('while the open file is whole', true, block(many.sent, 'file').includes('const rate = RATES[zone]')),
    row(
      'an open file that does not fit is never cut: the step fails',
      { status: 'failed', code: 'context.too_large', asked: [] },
      { status: huge.status, code: huge.fault?.code, asked: huge.asked },
    ),
  ]
}

export const run = async (kit) => {
  const base = kit.home()
  mkdirSync(base.folder, { recursive: true })
  const repository = buildRepository(kit.root, base.folder)
  const place = await openPlace(kit, {
    flows: ['flows/s07-code-assistant'],
    serve: SERVE,
    config: {
      'retrievers.yaml': JSON.stringify({
        retrievers: [
          {
            index: 'repository',
            tool: 'repository/search',
            top: 'limit',
            items: 'hits',
            fields: { id: 'path', title: 'path', source: 'path' },
          },
        ],
      }),
    },
    env: { REPOSITORY_DIR: repository },
  })
  return [...(await tasks(place)), ...(await refusals(place)), ...(await windows(place))]
}
