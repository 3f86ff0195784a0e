import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Artefact, decodeArtefact, encodeArtefact } from './artefact.ts'
import { expectedCalibrationError } from '@baton/policy/calibration'
import { confidenceCurve, fitTemperature } from './calibration.policy.ts'
import { countsOf, type FeatureOptions, inverseFrequencies, vectorOf, wordsOf } from '@baton/policy'
import { readLabelTable, readProbabilities } from './label-table.policy.ts'
import { parseLabelledText } from './labelled-text.policy.ts'
import { softmax } from './logistic.policy.ts'
import { classify } from './predict.ts'
import { evaluateCategories, evaluateClassifier, trainClassifier } from './train.ts'

const options: FeatureOptions = { buckets: 1_024, wordGramsMax: 2, charGramsMin: 3, charGramsMax: 4, charWeight: 1, textCharsMax: 200 }
const rows = ['card', 'refund', 'transfer'].flatMap((label) =>
  ['where is my', 'please help with the', 'what about a', 'there is a problem with my', 'i have a question on the', 'tell me of my'].map(
    (start) => ({
      text: `${start} ${label}`,
      label,
    }),
  ),
)
const small = { buckets: 1_024, epochs: 5 }

describe('features', () => {
  it('C1: the same text gives the same features, whatever its case, quotes and compatibility forms', () => {
    expect(countsOf('My CARD isn’t working', options)).toEqual(countsOf("my card isn't working", options))
    expect(wordsOf('Why £5 ﬁne?')).toEqual(['why', '£', '5', 'fine', '?'])
  })

  it('C2: the word part and the character part of a vector have the lengths they were given', () => {
    const counts = countsOf('my card is not working', { ...options, buckets: 1 << 20 })
    const idf = new Float32Array(1 << 20).fill(1)
    const { values } = vectorOf(counts, idf, { ...options, buckets: 1 << 20, charWeight: 2 })
    expect(Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))).toBeCloseTo(Math.sqrt(5), 3)
  })

  it('leaves out what fewer texts than asked for have', () => {
    const texts = ['alpha beta', 'alpha gamma'].map((text) => countsOf(text, options))
    const known = inverseFrequencies(texts, options, 2)
    expect(vectorOf(countsOf('zzz', options), known, options).buckets).toHaveLength(0)
    expect(vectorOf(countsOf('alpha', options), known, options).buckets.length).toBeGreaterThan(0)
  })
})

describe('training (B1)', () => {
  it('C3, C9: the same rows and seed give the same bytes, another seed gives others', () => {
    const bytes = (seed: number): string => encodeArtefact(trainClassifier(rows, { ...small, seed })).toString('base64')
    expect(bytes(7)).toBe(bytes(7))
    expect(bytes(7)).not.toBe(bytes(8))
  })

  it('learns what tells the labels apart', () => {
    const artefact = trainClassifier(rows, small)
    expect(
      evaluateClassifier(artefact, [
        { text: 'has my refund come', label: 'refund' },
        { text: 'a new card', label: 'card' },
      ]).accuracy,
    ).toBe(1)
  })

  it('the wide recipe keeps what only one text has', () => {
    const rare = [...rows, { text: 'xylophone', label: 'refund' }]
    const known = (recipe: 'compact' | 'wide'): number => {
      const { idf, features } = trainClassifier(rare, { ...small, recipe })
      return vectorOf(countsOf('xylophone', { ...features }), idf, features).buckets.length
    }
    expect(known('wide')).toBeGreaterThan(known('compact'))
  })

  it('reports progress to the end', () => {
    const shares: number[] = []
    trainClassifier(rows, { ...small, epochs: 2 }, ({ share }) => shares.push(share))
    expect(shares).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('refuses rows of a single label', () => {
    expect(() => trainClassifier([{ text: 'a', label: 'x' }])).toThrow(expect.objectContaining({ code: 'input.invalid' }))
  })
})

describe('calibration', () => {
  it('C4: finds the temperature that scores were multiplied by, and keeps the order of classes', () => {
    const scored = Array.from({ length: 400 }, (_, at) => ({
      scores: Float32Array.from([at % 4 === 0 ? 0 : Math.log(3), 0].map((score) => score * 3)),
      target: at % 4 === 1 ? 1 : 0,
    }))
    const temperature = fitTemperature(scored)
    expect(temperature).toBeGreaterThan(1)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 6 }), (scores) => {
        const cold = softmax(Float32Array.from(scores))
        const warm = softmax(Float32Array.from(scores), temperature)
        expect(warm.indexOf(Math.max(...warm))).toBe(cold.indexOf(Math.max(...cold)))
      }),
    )
  })

  it('measures how far confidence is from the share that was right', () => {
    const judged = [0.9, 0.9, 0.9, 0.9].map((confidence, at) => ({ confidence, right: at < 2 }))
    expect(expectedCalibrationError(judged)).toBeCloseTo(0.4)
    expect(confidenceCurve(judged, [0.5, 0.95])).toEqual([
      { threshold: 0.5, share: 1, accuracy: 0.5 },
      { threshold: 0.95, share: 0, accuracy: 1 },
    ])
  })
})

describe('artefact', () => {
  const artefact: Artefact = trainClassifier(rows, small)

  it('C5: quantised weights answer as the file says, before and after writing', () => {
    const read = decodeArtefact(encodeArtefact(artefact))
    expect(classify(read, 'where is my card')).toEqual(classify(artefact, 'where is my card'))
    expect(read.weights).toHaveLength(1_024 * 3)
  })

  it('C6: refuses what is not a whole file of this format', () => {
    const file = encodeArtefact(artefact)
    for (const broken of [Buffer.from('x'), file.subarray(0, 200), encodeArtefact({ ...artefact, bias: new Float32Array(2) })]) {
      expect(() => decodeArtefact(broken)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    }
  })
})

describe('label table', () => {
  const table = readLabelTable('label,category,sensitive\nlost,other,true\nrate,other,false\nback,refund,false\n')
  const labels = ['back', 'lost', 'rate', 'weather']
  const read = (probabilities: readonly number[]) => readProbabilities(probabilities, { labels, table, sensitiveFrom: 0.25 })

  it('C7: the confidence of a category is the mass of its labels', () => {
    expect(read([0.4, 0.2, 0.35, 0.05])).toMatchObject({ intent: 'other', label: 'rate', confidence: 0.55 })
    expect(read([0.1, 0, 0.1, 0.8])).toMatchObject({ intent: 'weather', label: 'weather', confidence: 0.8 })
  })

  it('C8: a quarter of the mass on sensitive labels marks the answer', () => {
    expect(read([0.7, 0.25, 0.05, 0]).sensitive).toBe(true)
    expect(read([0.7, 0.2, 0.1, 0]).sensitive).toBe(false)
  })
})

describe('labelled text', () => {
  it('reads CSV with quotes, commas and line breaks, and JSON lines', () => {
    expect(parseLabelledText('text,label\r\n"a, ""b""\nc",x\nplain,y\n', 'csv')).toEqual([
      { text: 'a, "b"\nc', label: 'x' },
      { text: 'plain', label: 'y' },
    ])
    expect(parseLabelledText('{"text":"a","category":"x"}\n\n', 'jsonl')).toEqual([{ text: 'a', label: 'x' }])
  })

  it('names the first bad row', () => {
    expect(() => parseLabelledText('text,label\na,x\n,y', 'csv')).toThrow('Row 2')
    expect(() => parseLabelledText('{"text":"a","label":"x"}\n{', 'jsonl')).toThrow('Line 2')
  })
})

describe('the committed support classifier (S2)', () => {
  const root = new URL('../../../../', import.meta.url)
  const text = (path: string): string => readFileSync(new URL(path, root), 'utf8')
  const artefact = decodeArtefact(readFileSync(new URL('flows/support/models/intent.bin.gz', root)))
  const table = readLabelTable(text('flows/support/models/labels.csv'))
  const heldBack = parseLabelledText(text('data/support/held-back.csv'), 'csv')

  it('names at least 90 of 100 of the 77 labels on questions it was not trained on', () => {
    const { accuracy, rows: count } = evaluateClassifier(
      artefact,
      heldBack.filter(({ label }) => label !== 'unknown'),
    )
    expect(count).toBe(1_499)
    expect(accuracy).toBeGreaterThanOrEqual(0.9)
  })

  it('is right in at least 97 of 100 of what it is sure of, and its confidence can be believed', () => {
    const { curve, calibrationError: error } = evaluateCategories(artefact, heldBack, table)
    const sure = curve.find(({ threshold }) => threshold === 0.8)
    expect(sure?.share).toBeGreaterThanOrEqual(0.85)
    expect(sure?.accuracy).toBeGreaterThanOrEqual(0.97)
    expect(error).toBeLessThanOrEqual(0.03)
  })

  it('takes at most 3 of 100 out-of-scope questions for ones of the bank with confidence', () => {
    const foreign = heldBack.filter(({ label }) => label === 'unknown')
    const readings = foreign.map((row) =>
      readProbabilities(classify(artefact, row.text), { labels: artefact.labels, table, sensitiveFrom: 0.25 }),
    )
    expect(foreign).toHaveLength(100)
    expect(readings.filter(({ intent, confidence }) => intent !== 'unknown' && confidence >= 0.8).length).toBeLessThanOrEqual(3)
  })

  it('was trained on none of the held-back questions', () => {
    const trained = new Set(parseLabelledText(text('data/support/train.csv'), 'csv').map((row) => row.text.toLowerCase()))
    expect(heldBack.filter(({ label, text: question }) => label !== 'unknown' && trained.has(question.toLowerCase()))).toEqual([])
  })
})
