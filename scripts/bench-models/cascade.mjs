// Cascades: a cheap answer is read, and a stronger model is asked only where it does not hold. GSM8K: a judge that was trained on other
// answers. Recorded function calls: repair and schema alone, nothing is trained.
// Not measured: latency of asking twice; values that are wrong but fit the schema.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { built, order, percent, readCsv, readLines, shown, spread } from './_data.mjs'

const { apgr, oracleApgr } = await built('libs/policy/dist/router/index.js')
const { decideCascade, judgeAnswer, sumsIn, trainJudge, unusedNumbers } = await built('libs/policy/dist/cascade/index.js')
const { expectedCalibrationError } = await built('libs/policy/dist/calibration/index.js')
const { mean, wilsonInterval } = await built('libs/policy/dist/statistics/index.js')
const { parseOutput } = await built('services/models/dist/output/repair.policy.js')
const { schemaProblems } = await built('services/models/dist/output/schema-check.js')

export const name = 'cascade: cheap first, stronger where the answer does not hold'

const WEAK = 'mistralai/Mixtral-8x7B-Instruct-v0.1'
const STRONG = 'gpt-4-1106-preview'
const FOLDS = 5

const ownModelOf = (duels) => mean(duels.map(({ weakRight }) => Number(weakRight)))

/** One run of cross-validation: each answer judged by a judge that never saw it. */
const judged = (rows, seed) => {
  const places = order(rows.length, seed)
  return Array.from({ length: FOLDS }, (_, fold) => {
    const { judge } = trainJudge(places.filter((_place, at) => at % FOLDS !== fold).map((place) => rows[place]))
    return places
      .filter((_place, at) => at % FOLDS === fold)
      .map((place) => ({ row: rows[place], ...judgeAnswer(judge, rows[place]) }))
      .map(({ row, probability }) => ({ score: -probability, probability, weakRight: row.right, strongRight: row.nextRight }))
  }).flat()
}

/** The gate without training: the answer ends as asked, and its sums add up. */
const simpleGate = (rows) => {
  const decided = rows.map((row) => {
    const problems = [
      ...(row.answer.includes('####') ? [] : ['no final answer']),
      ...(sumsIn(row.answer).every(({ right }) => right) ? [] : ['a sum is wrong']),
    ]
    const { status } = decideCascade({}, { problems, repaired: false, last: false })
    return { escalated: status === 'escalate', right: status === 'escalate' ? row.nextRight : row.right }
  })
  return {
    quality: wilsonInterval(decided.filter(({ right }) => right).length, rows.length),
    escalated: decided.filter(({ escalated }) => escalated).length / rows.length,
  }
}

const gsmRows = (shared, { quick, progress }) => {
  const rows = readCsv(join(shared, 'data', 'routellm', 'gsm8k_dev.csv.gz')).map((row) => ({
    question: row.prompt,
    answer: row[`${WEAK}_response`],
    right: row[WEAK] === 'True',
    nextRight: row[STRONG] === 'True',
  }))
  const runs = Array.from({ length: quick ? 2 : 20 }, (_, at) => {
    progress(`GSM8K cascade: run ${at + 1}`)
    return judged(rows, at + 1)
  })
  const values = runs.map(apgr)
  const fifth = runs.map((duels) => {
    const sorted = duels.toSorted((left, right) => right.score - left.score)
    const strong = Math.round(sorted.length / 5)
    return mean(sorted.map((one, at) => Number(at < strong ? one.strongRight : one.weakRight)))
  })
  const errors = runs.map((duels) => expectedCalibrationError(duels.map((one) => ({ confidence: one.probability, right: one.weakRight }))))
  const gate = simpleGate(rows)
  const [first] = runs
  return [
    {
      what: `GSM8K cascade that reads the weak answer, ${FOLDS}-fold, ${rows.length} rows: APGR`,
      must: '>= 0.72, goal 0.75',
      seen: spread(values),
      ok: mean(values) >= 0.72,
      note: `${runs.length} runs, seeds 1-${runs.length}; oracle ${shown(oracleApgr(first))}; reads an answer that is paid for on every question`,
    },
    {
      what: 'GSM8K cascade: right at 20 % strong calls',
      seen: spread(fifth),
      note: `weak alone ${shown(ownModelOf(first))}, strong alone ${shown(mean(first.map((one) => Number(one.strongRight))))}`,
    },
    {
      what: 'GSM8K cascade: calibration error of the acceptance probability',
      seen: spread(errors),
      note: 'ten bands of equal width, rows the judge never saw',
    },
    {
      what: 'GSM8K cascade without training (end marked, sums add up)',
      seen: percent(gate.quality),
      note: `${shown(100 * gate.escalated, 1)} % escalated`,
    },
  ]
}

const FILES = [
  ['simple_python', 'simple'],
  ['multiple', 'multiple_function'],
  ['parallel', 'parallel_function'],
]
const TYPES = { dict: 'object', float: 'number', tuple: 'array' }
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The benchmark's own names of types as JSON Schema; nothing beyond the named arguments is allowed. */
const schemaOf = (spec) => {
  if (!isObject(spec)) return true
  const { type, properties, items, required, enum: allowed } = spec
  if (type === 'any') return true
  return {
    ...(type === undefined ? {} : { type: TYPES[type] ?? type }),
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, schemaOf(value)])),
          additionalProperties: false,
        }
      : {}),
    ...(required === undefined ? {} : { required }),
    ...(items === undefined ? {} : { items: schemaOf(items) }),
    ...(Array.isArray(allowed) ? { enum: allowed } : {}),
  }
}

const bare = (text) => text.replaceAll('.', '_')
const plain = (value) => {
  if (typeof value === 'string') return value.toLowerCase().replace(/[ ,./\-_*^]/g, '')
  if (Array.isArray(value)) return value.map(plain)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)])) : value
}
const listOf = (value) => (Array.isArray(value) ? value : [])
const accepts = (accepted, value) =>
  accepted.some(
    (one) => JSON.stringify(plain(one)) === JSON.stringify(plain(value)) || (isObject(one) && isObject(value) && fieldsFit(value, one)),
  )
const fieldsFit = (given, accepted) =>
  Object.entries(given).every(([key, value]) => accepts(listOf(accepted[key]), value)) &&
  Object.entries(accepted).every(([key, values]) => Object.hasOwn(given, key) || listOf(values).includes(''))
const fits = (call, truth) => {
  const [called, given] = isObject(call) ? (Object.entries(call)[0] ?? []) : []
  const [wanted, accepted] = Object.entries(truth)[0] ?? []
  return called !== undefined && bare(called) === bare(wanted) && isObject(given) && fieldsFit(given, accepted)
}
/** Whether calls are what the benchmark accepts, in any order. */
const isRight = (calls, truths) => {
  const left = [...truths]
  for (const call of calls) {
    const at = left.findIndex((truth) => fits(call, truth))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return left.length === 0
}

/** Calls of an answer as they are, or after repair; throws where there is nothing to read. */
const callsOf = (result, mends) => {
  const read = mends ? (text) => parseOutput(text).value : JSON.parse
  if (typeof result === 'string') {
    const value = read(result)
    return Array.isArray(value) ? value : [value]
  }
  return listOf(result).map((call) =>
    Object.fromEntries(Object.entries(call).map(([key, text]) => [key, typeof text === 'string' ? read(text) : text])),
  )
}

const UNUSED_MAX = 1
/** What validators find without knowing the right calls: names, schemas, and numbers of the question that no call makes use of. */
const problemsOf = (calls, tools, question) => {
  if (calls.length === 0) return ['nothing is called']
  const unused = unusedNumbers(question, JSON.stringify(calls))
  if (unused.length > UNUSED_MAX) return [`numbers of the question are not used: ${unused.join(', ')}`]
  return calls.flatMap((call) => {
    const [called, given] = isObject(call) ? (Object.entries(call)[0] ?? []) : []
    const tool = called === undefined ? undefined : tools.find((one) => bare(one.name) === bare(called))
    return tool === undefined ? ['there is no such tool'] : schemaProblems(given, tool.schema)
  })
}

/** What one model answered to every question: read, checked, and whether it is right. */
const answersOf = (bfcl, model) =>
  FILES.flatMap(([questions, file]) => {
    const asked = readLines(join(bfcl, 'questions', `${questions}.jsonl.gz`))
    const truths = readLines(join(bfcl, 'questions', `${questions}_answers.jsonl.gz`))
    const results = readLines(join(bfcl, 'results', model, `${file}.jsonl.gz`))
    return truths.map(({ ground_truth: truth }, at) => {
      const tools = asked[at].function.map((tool) => ({ name: tool.name, schema: schemaOf(tool.parameters) }))
      try {
        const calls = callsOf(results[at].result, true)
        return { right: isRight(calls, truth), problems: problemsOf(calls, tools, asked[at].question[0].at(-1).content) }
      } catch (error) {
        if (!(error instanceof SyntaxError) && error?.name !== 'Fault') throw error
        return { right: false, problems: [error.message] }
      }
    })
  })

/** Cheap model, stronger model, and what the issue asks of them. */
const PAIRS = [
  { cheap: 'claude-3-haiku-20240307', strong: 'claude-3-5-sonnet-20240620', must: { right: 0.93, escalated: 0.03 } },
  { cheap: 'open-mixtral-8x7b', strong: 'claude-3-5-sonnet-20240620', must: { right: 0.895, escalated: 0.13 } },
  { cheap: 'open-mistral-nemo-2407', strong: 'gpt-4o-2024-05-13-FC', must: { right: 0.895, escalated: 0.175 } },
]

const toolRows = (shared) => {
  const bfcl = join(shared, 'data', 'bfcl')
  return PAIRS.map(({ cheap, strong, must }) => {
    const [first, second] = [answersOf(bfcl, cheap), answersOf(bfcl, strong)]
    const decided = first.map((answer, at) => {
      const { status } = decideCascade({}, { problems: answer.problems, repaired: false, last: false })
      return {
        asked: status === 'escalate',
        lost: status === 'escalate' && answer.right,
        right: status === 'escalate' ? second[at].right : answer.right,
      }
    })
    const right = wilsonInterval(decided.filter((one) => one.right).length, decided.length)
    const escalated = decided.filter(({ asked }) => asked).length / decided.length
    return {
      what: `tool calls ${cheap} -> ${strong}`,
      must: `>= ${100 * must.right} % at <= ${100 * must.escalated} %`,
      seen: `${percent(right)} at ${shown(100 * escalated, 1)} %`,
      ok: right.value >= must.right && escalated <= must.escalated,
      note:
        `${shown(100 * mean(first.map((one) => Number(one.right))), 1)} % before, stronger alone ${shown(100 * mean(second.map((one) => Number(one.right))), 1)} %; ` +
        `${decided.filter(({ lost }) => lost).length} right answers were refused; ${decided.length} items`,
    }
  })
}

export const run = ({ quick, shared, progress }) => {
  const has = (folder) => shared !== undefined && existsSync(join(shared, 'data', folder))
  return [
    ...(has('routellm')
      ? gsmRows(shared, { quick, progress })
      : [{ what: 'GSM8K cascade', seen: 'skipped', note: 'BATON_SHARED has no data/routellm' }]),
    ...(has('bfcl') ? toolRows(shared) : [{ what: 'tool-call cascades', seen: 'skipped', note: 'BATON_SHARED has no data/bfcl' }]),
  ]
}
