// The table of `npm run proof:check`: each seeded mistake with what was found, each correct flow with its false alarms.
import { join } from 'node:path'
import * as flow from '@baton/flow'
import { checkCase } from './check-case.mjs'
import { judge, readCases, readFlows } from './check-corpus.ts'

const root = join(import.meta.dirname, '..', '..')
const corpus = join(root, 'test', 'flows')
const placeOf = ({ code, file, line, column }, entry) => `${code} ${file === entry ? '' : `${file}:`}${line}:${column}`
const pad = (text, width) => text.padEnd(width)

const rowsOf = (cases) => cases.map((one) => ({ entry: one.entry, ...judge(one, checkCase(flow, one)) }))

const printWrong = (rows) => {
  const width = Math.max(...rows.map(({ name }) => name.length))
  for (const { name, entry, expected, found, result, alarms } of rows) {
    const wanted = expected.map((place) => placeOf(place, entry)).join(', ')
    console.log(`${pad(result, 12)} ${pad(name, width)}  ${wanted}`)
    if (result !== 'found') for (const one of found) console.log(`${' '.repeat(13)}instead: ${placeOf(one, entry)}: ${one.message}`)
    else for (const one of alarms) console.log(`${' '.repeat(13)}false alarm: ${placeOf(one, entry)}: ${one.message}`)
  }
}

const printRight = (rows, counts) => {
  for (const { name, entry, found } of rows) {
    const alarms = found.filter(counts)
    console.log(`${pad(alarms.length === 0 ? 'clean' : 'false alarm', 12)} ${name}`)
    for (const one of found) console.log(`${' '.repeat(13)}${one.severity}: ${placeOf(one, entry)}: ${one.message}`)
  }
}

const count = (rows, result) => rows.filter((row) => row.result === result).length

export const main = async () => {
  const wrong = rowsOf(readCases(join(corpus, 'wrong')))
  const right = rowsOf(readCases(join(corpus, 'right')))
  const flows = rowsOf(readFlows(join(root, 'flows')))
  console.log('# Seeded mistakes (test/flows/wrong)')
  printWrong(wrong)
  console.log('\n# Correct flows (test/flows/right): neither errors nor warnings')
  printRight(right, () => true)
  console.log('\n# Flows of the repository (flows): no errors')
  const isError = ({ severity }) => severity === 'error'
  printRight(flows, isError)
  const alarms = [
    ...wrong.filter(({ result }) => result === 'found').flatMap(({ alarms: extra }) => extra),
    ...right.flatMap(({ found }) => found),
  ]
  const errors = flows.flatMap(({ found }) => found).filter(isError)
  const codes = new Set(wrong.flatMap(({ expected }) => expected.map(({ code }) => code)))
  const missed = wrong.length - count(wrong, 'found')
  console.log(
    `\nseeded ${wrong.length} of ${codes.size} codes, found ${count(wrong, 'found')}, wrong place ${count(wrong, 'wrong place')}, missed ${count(wrong, 'missed')}; ` +
      `correct ${right.length + flows.length}, false alarms ${alarms.length + errors.length}`,
  )
  return missed === 0 && alarms.length + errors.length === 0 ? 0 : 1
}
