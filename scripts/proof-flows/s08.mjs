// S8: the shopping assistant over a catalogue from a stated seed. What a question needs is said by a model that reads words; every answer is
// compared with the catalogue, made again here.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { catalogueOf, PRODUCTS, SEED } from '../../flows/s08-shopping/catalogue/generate.ts'
import { openPlace, row } from './_place.mjs'

export const title = 'S8: a shopping assistant over a generated catalogue'
export const not = 'how well a real model says what a question needs, and how well it writes: both models are functions here.'

const ASKED = { specs: 'How heavy is it?', reviews: 'Is it any good?', prices: 'What does it cost?' }
const SUBSETS = [['specs'], ['reviews'], ['prices'], ['specs', 'reviews'], ['specs', 'prices'], ['reviews', 'prices'], Object.keys(ASKED)]
const questionOf = (subset) => subset.map((one) => ASKED[one]).join(' ')

const digest = (value) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)

/** Says what is needed by its words. */
const needs = (asked) => ({
  answer: { specs: asked.includes('heavy'), reviews: asked.includes('any good'), prices: asked.includes('does it cost') },
})
/** Writes down numbers that it was given, and what it was not. */
const answers = (asked) => {
  const weight = /"weightGrams":\s*([\d.]+)|weightGrams: ([\d.]+)/.exec(asked)
  const average = /"?average"?:\s*([\d.]+)/.exec(asked)
  const cheapest = /"?cheapest"?:\s*([\d.]+)/.exec(asked)
  const of = (match) => match?.[1] ?? match?.[2] ?? 'not known'
  return { answer: { text: `weight ${of(weight)}; stars ${of(average)}; from ${of(cheapest)}` } }
}

const cheapestOf = ({ offers }) => {
  const prices = offers.filter(({ stock }) => stock > 0).map(({ price }) => price)
  return prices.length === 0 ? null : Math.min(...prices)
}
const averageOf = ({ reviews }) =>
  reviews.length === 0 ? 0 : Math.round((reviews.reduce((sum, { stars }) => sum + stars, 0) / reviews.length) * 100) / 100

/** What has to be answered to these needs. */
const expectedOf = (product, subset) => {
  const price = subset.includes('prices') ? cheapestOf(product) : null
  return {
    text: `weight ${subset.includes('specs') ? product.specs.weightGrams : 'not known'}; stars ${subset.includes('reviews') ? averageOf(product) : 'not known'}; from ${price ?? 'not known'}`,
    price,
  }
}

const countsOf = (file) => {
  const db = new DatabaseSync(file, { readOnly: true })
  const rows = db.prepare('select component, times from looked_up').all()
  db.close()
  return { specs: 0, reviews: 0, prices: 0, ...Object.fromEntries(rows.map(({ component, times }) => [component, times])) }
}

/** Whether all look-ups of a run began before the first of them ended. */
const atOnceIn = (journal) => {
  const of = (kind) =>
    journal.flatMap(({ type, data }) => (type.includes(kind) && String(data.path).startsWith('found/') ? [data.seq] : []))
  const begun = [...new Set(of('step.dispatched'))]
  return begun.length >= 2 && Math.max(...begun) < Math.min(...of('step.completed'))
}

const known = async ({ lab, file, catalogue }) => {
  const rows = []
  for (const subset of SUBSETS) {
    const product = catalogue[SUBSETS.indexOf(subset) * 11]
    const before = countsOf(file)
    const { output, fault } = await lab.run('shop/assistant', { question: questionOf(subset), product: product.id })
    const after = countsOf(file)
    const looked = Object.keys(after).filter((one) => after[one] > before[one])
    const must = { looked: subset.toSorted(), answered: true }
    const answered = JSON.stringify(output) === JSON.stringify(expectedOf(product, subset))
    rows.push(row(`"${questionOf(subset)}"`, must, { looked: looked.toSorted(), answered: answered || (output ?? fault?.code) }))
  }
  return rows
}

const many = async ({ lab, file, catalogue, count }) => {
  const asked = Array.from({ length: count }, (_, at) => ({
    subset: SUBSETS[at % SUBSETS.length],
    product: catalogue[(at * 7) % PRODUCTS],
  }))
  const before = countsOf(file)
  const runs = await lab.atOnce(asked, 4, ({ subset, product }) =>
    lab.run('shop/assistant', { question: questionOf(subset), product: product.id }),
  )
  const after = countsOf(file)
  const right = runs.filter(({ output }, at) => JSON.stringify(output) === JSON.stringify(expectedOf(asked[at].product, asked[at].subset)))
  const wanted = (component) => asked.filter(({ subset }) => subset.includes(component)).length
  const components = Object.keys(ASKED)
  return [
    row(`${count} questions about ${count} places of the catalogue: answers as the catalogue has them`, count, right.length),
    row(
      'look-ups in the store: as many as were needed',
      Object.fromEntries(components.map((one) => [one, wanted(one)])),
      Object.fromEntries(components.map((one) => [one, after[one] - before[one]])),
    ),
  ]
}

export const run = async (kit) => {
  const { say, quick } = kit
  const catalogue = catalogueOf()
  const reviews = catalogue.reduce((sum, product) => sum + product.reviews.length, 0)
  say(`seed ${SEED}: ${catalogue.length} products, ${reviews} reviews; sha256 ${digest(catalogue)}…`)
  const { lab, home } = await openPlace(kit, { flows: ['flows/s08-shopping'], serve: { fast: needs, frontier: answers } })
  const file = join(home.folder, 'data', 'shop.sqlite')
  const first = await lab.run('shop/assistant', { question: questionOf(['specs']), product: 'p1' })
  const rows = [
    row('the same seed makes the same catalogue', digest(catalogue), digest(catalogueOf(SEED))),
    row('another seed another', true, digest(catalogue) !== digest(catalogueOf(SEED + 1))),
    row('the first question fills the store', 'completed', first.status),
    ...(await known({ lab, file, catalogue })),
  ]
  const all = await lab.start('shop/assistant', { question: questionOf(Object.keys(ASKED)), product: 'p3' })
  await lab.ended(all)
  rows.push(row('all three are looked up at once: each began before the first ended', true, atOnceIn(await lab.journal(all))))
  const gone = catalogue.find((product) => cheapestOf(product) === null)
  if (gone !== undefined) {
    const { status, output } = await lab.run('shop/assistant', { question: questionOf(['specs', 'prices']), product: gone.id })
    const must = { status: 'completed', output: expectedOf(gone, ['specs', 'prices']) }
    rows.push(row('nobody has it in stock: the answer is given, without a price', must, { status, output }))
  }
  const unknown = await lab.run('shop/assistant', { question: questionOf(['specs', 'prices']), product: 'p0' })
  rows.push(row('a product that is none', { text: 'weight not known; stars not known; from not known', price: null }, unknown.output))
  return [...rows, ...(await many({ lab, file, catalogue, count: quick ? 14 : 70 }))]
}
