// The classifier that flows route with, cross-validated on banking77 and CLINC150 beside scikit-learn (TF-IDF and logistic regression).
// Not measured: the held-back splits of the two sets, which are not here; languages other than English.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { built, interval, order, percent, readCsv, shown, sklearn } from './_data.mjs'

const { trainClassifier } = await built('services/models/dist/classifier/train.js')
const { classify } = await built('services/models/dist/classifier/predict.js')
const { expectedCalibrationError } = await built('libs/policy/dist/calibration/index.js')
const { bootstrapInterval, mean, pairedDifference } = await built('libs/policy/dist/statistics/index.js')

export const name = 'classifier: intents, and what is none of them'

const FOLDS = 5
const AUTOMATED = 0.9
const SEED = 1

const banking = (shared) => ({
  label: 'banking77',
  rows: readCsv(join(shared, 'data', 'banking77', 'train.csv')).map(({ text, category }) => ({ text, label: category })),
  others: [],
  published: 0.916,
})
const clinc = (shared) => {
  const data = JSON.parse(readFileSync(join(shared, 'data', 'clinc150', 'train_val.json'), 'utf8'))
  return {
    label: 'CLINC150',
    rows: [...data.train, ...data.val].map(([text, label]) => ({ text, label })),
    others: [...data.oos_train, ...data.oos_val].map(([text]) => text),
    published: 0.925,
  }
}

/** What Baton says of the test rows of a split and of texts out of scope, as scikit-learn's part says it. */
const ours = ({ rows, others }, { train, test }, onProgress) => {
  const artefact = trainClassifier(
    train.map((place) => rows[place]),
    { recipe: 'wide' },
    onProgress,
  )
  const best = (text) => {
    const probabilities = classify(artefact, text)
    const at = probabilities.indexOf(Math.max(...probabilities))
    return { label: artefact.labels[at], confidence: probabilities[at] }
  }
  const said = test.map((place) => best(rows[place].text))
  return {
    right: said.map(({ label }, at) => Number(label === rows[test[at]].label)),
    confidence: said.map(({ confidence }) => confidence),
    others: others.map((text) => best(text).confidence),
  }
}

/** Share of the texts out of scope that stay below the confidence from which nine in ten others are automated; mean over folds. */
const caught = (folds) => {
  const thresholds = folds.map(
    ({ confidence }) => confidence.toSorted((left, right) => left - right)[Math.floor(confidence.length * (1 - AUTOMATED))],
  )
  const [{ others }] = folds
  return bootstrapInterval(others.length, (drawn) =>
    mean(folds.map((fold, at) => mean([...drawn].map((place) => Number(fold.others[place] < thresholds[at]))))),
  )
}
/** Right answers among those that are automated then. */
const automatedRight = (folds) =>
  mean(
    folds.map(({ confidence, right }) => {
      const threshold = confidence.toSorted((left, other) => left - other)[Math.floor(confidence.length * (1 - AUTOMATED))]
      return mean(right.filter((_one, at) => confidence[at] >= threshold))
    }),
  )

const flat = (folds, read) => folds.flatMap(read)
const accuracy = (folds) => {
  const right = flat(folds, (fold) => fold.right)
  return bootstrapInterval(right.length, (drawn) => mean([...drawn].map((at) => right[at])), { resamples: 500 })
}

/** The folds of a set, and scikit-learn at work on them already: it runs in a process beside ours. */
const begin = (set, { foldsRun, quick }) => {
  const places = order(set.rows.length, SEED)
  const splits = Array.from({ length: foldsRun }, (_, fold) => ({
    train: places.filter((_place, at) => at % FOLDS !== fold),
    test: places.filter((_place, at) => at % FOLDS === fold),
  }))
  const task = {
    kind: 'classes',
    texts: set.rows.map(({ text }) => text),
    labels: set.rows.map(({ label }) => label),
    others: set.others,
    splits,
  }
  return { set, splits, theirs: quick ? { skipped: '--quick leaves scikit-learn out: it takes minutes' } : sklearn(task) }
}

const compare = async ({ set, splits, theirs: asked }, progress) => {
  const own = splits.map((split, at) =>
    ours(set, split, ({ share }) => progress(`${set.label}: fold ${at + 1} of ${splits.length}, ${Math.round(100 * share)} %`)),
  )
  progress(`${set.label}: scikit-learn`)
  const { result: theirs, skipped, version, kept } = await asked
  const seen = accuracy(own)
  const judged = own.flatMap(({ right, confidence }) => right.map((one, at) => ({ right: one === 1, confidence: confidence[at] })))
  const head = `${set.label}, recipe wide, ${splits.length} of ${FOLDS} folds`
  const tested = flat(own, (fold) => fold.right).length
  return [
    theirs
      ? {
          what: `${head}: right`,
          must: `>= ${percent(accuracy(theirs))}`,
          seen: percent(seen),
          ok: seen.value >= accuracy(theirs).value,
          note: `difference ${interval(
            pairedDifference(
              flat(own, (fold) => fold.right),
              flat(theirs, (fold) => fold.right),
            ),
            4,
          )}; ${tested} rows tested, seed ${SEED}; scikit-learn ${version}${kept > 0 ? `, ${kept} of its folds kept from a run before` : ''}`,
        }
      : {
          what: `${head}: right`,
          must: `about ${shown(100 * set.published, 1)} %`,
          seen: percent(seen),
          note: `${tested} rows tested, seed ${SEED}; ${skipped}`,
        },
    { what: `${head}: calibration error`, seen: shown(expectedCalibrationError(judged)), note: 'ten bands of equal width' },
    ...(set.others.length === 0
      ? []
      : [
          {
            what: `${head}: out of scope caught where 90 % are automated`,
            must: 'about 87 %',
            seen: percent(caught(own)),
            note: `${set.others.length} texts that no fold was trained on; of the automated ${shown(100 * automatedRight(own), 1)} % are right${theirs ? `; scikit-learn ${percent(caught(theirs))}` : ''}`,
          },
        ]),
  ]
}

export const run = async ({ quick, shared, progress }) => {
  const has = (folder) => shared !== undefined && existsSync(join(shared, 'data', folder))
  const size = { foldsRun: quick ? 1 : FOLDS, quick }
  const begun = [
    { folder: 'banking77', read: banking },
    { folder: 'clinc150', read: clinc },
  ].map(({ folder, read }) => ({ folder, one: has(folder) ? begin(read(shared), size) : undefined }))
  const rows = []
  for (const { folder, one } of begun) {
    if (one === undefined) rows.push({ what: folder, seen: 'skipped', note: `BATON_SHARED has no data/${folder}` })
    else rows.push(...(await compare(one, progress)))
  }
  return rows
}
