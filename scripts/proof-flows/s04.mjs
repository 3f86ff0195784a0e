// S4, and S3 with its pictures: drawn pictures go up by reference, a detector, text extraction and rules look at them on this machine.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { draw } from '../../flows/s04-images/scripts/draw.mjs'

export const title = 'S4: pictures, and S3 with pictures in it'
export const needs = ['nsfwjs', '@tensorflow/tfjs', '@napi-rs/canvas', 'tesseract.js', '@tesseract.js-data/eng/package.json']
export const not = 'how good the detector is on photographs: pictures here are drawn, none shows what it was trained to find.'

const SEED = 20_261_122
const wordsOf = (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? []

/** How the second model of moderation answers: it looks for what the keyword filter looks for, in text and in the words of pictures. */
const moderate = (asked) => {
  const bad = /free casino chips|buy followers/i.test(asked.slice(asked.indexOf('Text:')))
  return { score: bad ? 0.98 : 0.03, reason: bad ? 'it sells what it must not' : 'nothing found' }
}

const expectedOf = ({ rule, doubtful }) => {
  if (rule !== undefined) return ['block', 'rules']
  if (doubtful === undefined) return ['publish', 'clean']
  return doubtful === 'block' ? ['block', 'unsafe'] : ['waiting', undefined]
}

/** The detector loads at its first picture; on a busy machine that takes longer than a look may, and a person is asked instead. */
const ready = async (lab, image) => {
  for (let left = 10; left > 0; left--) {
    const [run] = await lab.runAll('moderation/images', [{ images: [image] }]).catch(() => [undefined])
    if (run?.status === 'completed') return
  }
  throw new Error('the detector is not ready after ten pictures')
}

const images = async (kit, lab, pictures, ref) => {
  const runs = await lab.runAll(
    'moderation/images',
    pictures.map((picture) => ({ images: [ref.get(picture.name)] })),
    { many: 1 },
  )
  const outputs = new Map(
    pictures.map(({ name }, at) => [name, runs[at].result?.output ?? { verdict: runs[at].status, why: runs[at].fault?.code }]),
  )
  const wrong = pictures.filter((picture) => {
    const { verdict, why } = outputs.get(picture.name)
    return JSON.stringify([verdict, why]) !== JSON.stringify(expectedOf(picture))
  })
  for (const { name } of wrong) kit.say(`differs: ${name} → ${JSON.stringify(outputs.get(name))}`)
  const written = pictures
    .filter(({ rule, words }) => rule === undefined && words !== '')
    .flatMap(({ name, words }) => wordsOf(words).map((word) => wordsOf(outputs.get(name).text ?? '').includes(word)))
  const read = written.filter(Boolean).length
  const blank = pictures.filter(({ rule, doubtful, words }) => rule === undefined && doubtful === undefined && words === '')
  const invented = blank.filter(({ name }) => (outputs.get(name).text ?? '').replaceAll(/\W/g, '').length > 2)
  return [
    {
      what: `each of ${pictures.length} pictures (seed ${SEED}) is published, blocked or shown to a person as it should be; among them: taken for unsafe, wrong type, cut off, huge, with its place, with forbidden words inside`,
      must: `${pictures.length} of ${pictures.length}`,
      seen: `${pictures.length - wrong.length} of ${pictures.length}`,
      ok: wrong.length === 0,
    },
    {
      what: 'words of the pictures that were read',
      must: '≥ 90 %',
      seen: `${read} of ${written.length}`,
      ok: read >= 0.9 * written.length,
    },
    { what: 'plain shapes in which words were read', must: '0', seen: String(invented.length), ok: invented.length === 0 },
  ]
}

const together = async (kit, lab, ref, data) => {
  const cases = [
    { id: 'clean', text: 'A sunny day at the harbour.', image: 'words-1', must: 'published' },
    { id: 'no-picture', text: 'A sunny day at the harbour.', must: 'published' },
    { id: 'bad-words-in-picture', text: 'Look at this!', image: 'forbidden-words', must: 'blocked' },
    { id: 'bad-file', text: 'Look at this!', image: 'truncated', must: 'blocked' },
    { id: 'bad-picture', text: 'Look at this!', image: 'taken-for-unsafe', must: 'blocked' },
    { id: 'bad-text', text: 'Get free casino chips here', image: 'shapes-1', must: 'blocked' },
  ]
  const runs = await lab.runAll(
    'moderation/content',
    cases.map(({ id, text, image }) => ({ id, text, ...(image === undefined ? {} : { images: [ref.get(image)] }) })),
    { many: 1 },
  )
  const shelf = new DatabaseSync(join(data, 'content.sqlite'), { readOnly: true })
  const states = new Map(
    shelf
      .prepare('select id, group_concat(state) as states from decisions group by id')
      .all()
      .map(({ id, states: all }) => [id, all]),
  )
  shelf.close()
  return cases.map(({ id, text, image, must }, at) => {
    const { status, result, fault } = runs[at]
    return kit.row(
      `S3: “${text}”, ${image ?? 'no picture'}: verdict, and what the product shows`,
      [must, must],
      [status === 'completed' ? result.output.verdict : (fault?.code ?? status), states.get(id)],
    )
  })
}

/** A detector that is not installed: a sentence that says what to type, and a person who looks instead. */
const withoutDetector = async (kit, picture) => {
  const home = kit.home()
  home.flow('flows/s04-images')
  home.file(
    's04-images/tools/pictures/packages.ts',
    readFileSync(join(home.flows, 's04-images/tools/pictures/packages.ts'), 'utf8').replace(
      'createRequire(base).resolve(name)',
      'createRequire(base).resolve(`${name}-that-nobody-has`)',
    ),
  )
  const { lab } = await kit.start(home)
  await lab.cli('flows', 'publish', 'flows/s04-images', '--replace')
  const { base64, mediaType } = encoded(picture)
  const image = await lab.good('POST', '/v1/payloads', { mediaType, base64 })
  const [{ runId, status }] = await lab.runAll('moderation/images', [{ images: [image] }])
  await lab.decide('moderation', runId, { verdict: 'publish', why: 'seen by a person' })
  await lab.ended(runId)
  const fault = (await lab.journal(runId)).map(({ data }) => data.fault).find((one) => one?.code === 'config.invalid')
  return [
    kit.row('a detector that is not installed: a person looks', 'waiting', status),
    kit.row(
      'and the fault says what to type',
      true,
      fault?.message.includes('npm install nsfwjs@4 @tensorflow/tfjs@4 @napi-rs/canvas@1') ?? 'no fault',
    ),
  ]
}

const encoded = ({ mediaType, bytes }) => ({ mediaType, base64: bytes.toString('base64') })

export const run = async (kit) => {
  const pictures = draw(SEED, kit.quick ? { texts: 1, shapes: 1 } : {})
  const wanted = kit.quick
    ? pictures.filter(({ name }) => ['words-1', 'shapes-1', 'taken-for-unsafe', 'truncated', 'forbidden-words'].includes(name))
    : pictures
  const home = kit.home()
  home.flow('flows/s03-moderation')
  home.flow('flows/s04-images')
  const upstream = await kit.upstream()
  upstream.serve({ 'moderation-first': moderate, 'moderation-other': moderate })
  home.route('moderation', ['moderation-first'])
  home.route('moderation-second', ['moderation-other'])
  const { lab } = await kit.start(home, { upstream })
  for (const folder of ['flows/s03-moderation', 'flows/s04-images']) await lab.cli('flows', 'publish', folder, '--replace')
  const ref = new Map()
  for (const picture of wanted) {
    const { mediaType: claimed, ...file } = encoded(picture)
    ref.set(picture.name, { ...(await lab.good('POST', '/v1/payloads', { mediaType: claimed, ...file })), mediaType: claimed })
  }
  await ready(lab, ref.get('shapes-1'))
  const rows = await images(kit, lab, wanted, ref)
  rows.push(...(await together(kit, lab, ref, join(home.folder, 'data'))))
  if (!kit.quick) rows.push(...(await withoutDetector(kit, wanted[0])))
  return rows
}
