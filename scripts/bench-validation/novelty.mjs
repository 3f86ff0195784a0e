// Whether questions unlike anything seen before go to a person: the committed model of the support flow (banking77) on held-back questions of
// customers and on out-of-scope ones (CLINC150 oos_val). Neither was trained on.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { noveltyOf, unpackNovelty } from '../../libs/policy/src/novelty/index.ts'
import { areaUnder, cpuMsOf, interval, percent } from './_figures.mjs'

export const title = 'Novelty: input unlike anything seen before'
export const not = 'questions of customers about things the bank has begun to sell since.'

const ROOT = join(import.meta.dirname, '..', '..')
const rows = () =>
  readFileSync(join(ROOT, 'data', 'support', 'held-back.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, quoted, plain, label] = /^(?:"((?:[^"]|"")*)"|([^,]*)),([^,]*),/.exec(line) ?? []
      return { text: (quoted ?? plain ?? '').replaceAll('""', '"'), label }
    })

export const run = ({ say }) => {
  const model = unpackNovelty(gunzipSync(readFileSync(join(ROOT, 'flows', 'support', 'models', 'novelty.bin.gz'))))
  const scored = rows().map(({ text, label }) => ({ own: label !== 'unknown', novelty: noveltyOf(model, text) }))
  const own = scored.filter((row) => row.own).map(({ novelty }) => novelty)
  const strange = scored.filter((row) => !row.own).map(({ novelty }) => novelty)
  say("| goes to a person above | customers' questions that do | other things that do |\n| --- | --- | --- |")
  for (const max of [0.8, 0.9, 0.95, 0.98, 0.99])
    say(
      `| ${max} | ${percent(own.filter((one) => one > max).length / own.length)} | ${percent(strange.filter((one) => one > max).length / strange.length)} |`,
    )
  const caught = strange.filter((one) => one > 0.98).length
  const wrong = own.filter((one) => one > 0.98).length
  const area = areaUnder(strange, own)
  const ms = cpuMsOf(500, () => noveltyOf(model, 'I have been waiting for my new card for two weeks, where is it?'))
  return [
    {
      what: `told apart, ${own.length} customers' questions and ${strange.length} others`,
      must: 'area ≥ 0.95',
      seen: area.toFixed(3),
      ok: area >= 0.95,
    },
    {
      what: 'at the default (0.98): others that go to a person',
      must: '≥ 80 %',
      seen: `${percent(caught / strange.length)} (${interval(caught, strange.length)})`,
      ok: caught / strange.length >= 0.8,
    },
    {
      what: "at the default: customers' questions that do",
      must: '≤ 3 %',
      seen: `${percent(wrong / own.length)} (${interval(wrong, own.length)})`,
      ok: wrong / own.length <= 0.03,
    },
    { what: 'CPU time of a look', must: 'told', seen: `${ms.toFixed(3)} ms` },
  ]
}
