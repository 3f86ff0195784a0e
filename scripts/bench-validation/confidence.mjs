// Confidence from signals, fitted on half of the recorded calls and looked at on the other half. Three models answer each question; the
// answer most of them give is taken, and what is known of it is how many agree, how many fit the schema, and whether it was mended.
import { agreementOf, confidenceOf, fitConfidence, reliabilityDiagram, signalsOf } from '../../libs/policy/src/confidence/index.ts'
import { brierScore, expectedCalibrationError } from '../../libs/policy/src/calibration/index.ts'
import { seededRandom, shuffled } from '../../libs/policy/src/seeded-random.policy.ts'
import { parseOutput } from '../../services/models/src/output/repair.policy.ts'
import { fitsSchema, isRight, recordedCalls } from './_recorded-calls.mjs'

export const title = 'Confidence: agreement of samples, validators and repair, fitted on outcomes (BFCL, half and half)'
export const needs = ['bfcl']
export const not = 'token log-probabilities and what models say of themselves: the recordings have neither.'

const SEED = 20_261_121
const MODELS = ['open-mixtral-8x7b', 'open-mistral-nemo-2407', 'claude-3-haiku-20240307']

const readOf = (result) => {
  try {
    const { value, repaired } = parseOutput(typeof result === 'string' ? result : JSON.stringify(result))
    return { calls: Array.isArray(value) ? value : [value], mended: repaired }
  } catch {
    return undefined
  }
}

const outcomesOf = (data) => {
  const answers = MODELS.map((model) => recordedCalls(data, model))
  return answers[0].map(({ functions, truths }, at) => {
    const read = answers.map((rows) => readOf(rows[at].result))
    const samples = read.map((one) => one?.calls ?? null)
    const { answer } = agreementOf(samples)
    const chosen =
      read.find((one) => one !== undefined && JSON.stringify(one.calls) === JSON.stringify(answer)) ?? read.find((one) => one !== undefined)
    const passed = read.filter((one) => one !== undefined && fitsSchema(one.calls, functions)).length
    const signals = signalsOf({ samples, validators: { passed, of: MODELS.length }, mended: chosen?.mended ?? true })
    return { signals, right: chosen !== undefined && isRight(chosen.calls, truths) }
  })
}

export const run = ({ data, say }) => {
  const rows = shuffled(outcomesOf(data), seededRandom(SEED))
  const fitted = rows.slice(0, rows.length / 2)
  const held = rows.slice(rows.length / 2)
  const route = fitConfidence(fitted)
  const judged = (fit) => held.map(({ signals, right }) => ({ confidence: confidenceOf(signals, fit), right }))
  const [before, after] = [judged(undefined), judged(route)]
  say(
    `seed ${SEED}; ${MODELS.join(', ')}; fitted on ${fitted.length} questions, shown on ${held.length}; right ${held.filter(({ right }) => right).length}`,
  )
  say(`weights ${JSON.stringify(route.weights)}`)
  for (const { heading, list } of [
    { heading: 'signals averaged', list: before },
    { heading: 'fitted for the route', list: after },
  ]) {
    say(`\n${heading}\n`)
    for (const line of reliabilityDiagram(list)) say(`    ${line}`)
  }
  const [worse, better] = [expectedCalibrationError(before), expectedCalibrationError(after)]
  return [
    { what: 'expected calibration error, fitted', must: '≤ 0.05', seen: `${worse.toFixed(3)} → ${better.toFixed(3)}`, ok: better <= 0.05 },
    {
      what: 'Brier score',
      must: 'lower than before',
      seen: `${brierScore(before).toFixed(3)} → ${brierScore(after).toFixed(3)}`,
      ok: brierScore(after) < brierScore(before),
    },
  ]
}
