import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { ModelsFile } from '../catalogue/catalogue.ts'
import { calibrateRoute, type CalibrationEntry, type ConfidenceRow } from './calibrate.ts'
import { withCalibration } from './calibration-text.ts'

/** Says 0.9 and is right in 60 of 100; says 0.6 and is right in 30. */
const tooSure: readonly ConfidenceRow[] = Array.from({ length: 400 }, (_, at) => {
  const sure = at % 2 === 0
  return { confidence: sure ? 0.9 : 0.6, right: (at >> 1) % 10 < (sure ? 6 : 3) }
})
const options = { route: 'answer', seed: 1, folds: 5, nowMs: Date.UTC(2026, 10, 22) }
const FILE = `# ours
models:
  one: { provider: extractive } # quotes
routes:
  answer: [one]
  other: [one]
policies: []
`

describe('the calibration of a route', () => {
  it('tells the error before, and after on rows the fit had not seen', () => {
    const report = calibrateRoute(tooSure, options)
    expect(report.before.calibrationError).toBeGreaterThan(0.25)
    expect(report.after.calibrationError).toBeLessThan(0.08)
    expect(report.chosen).not.toBe('none')
    expect(report.entry).toMatchObject({ kind: report.chosen, rows: 400, at: '2026-11-22' })
    expect(report.diagrams.before.join('\n')).toContain('said  90.0 % right  60.0 %')
  })

  it('is refused for fewer rows than say anything', () => {
    expect(() => calibrateRoute(tooSure.slice(0, 49), options)).toThrow('49 outcomes of answer are too few')
  })

  it.each(['platt', 'isotonic'] as const)('Z2: a %s entry is put into the text and changed there, and no other line is', (kind) => {
    const fitted = { rows: 400, at: '2026-11-22', error: { before: 0.3, after: 0.02 } }
    const given: CalibrationEntry = {
      ...(kind === 'platt' ? { kind, slope: 2.5, intercept: -1 } : { kind, scores: [0.1, 0.9], shares: [0.2, 0.6] }),
      ...fitted,
    }
    const once = withCalibration(FILE, 'answer', given)
    expect(once.startsWith(FILE)).toBe(true)
    expect(ModelsFile.parse(parse(once)).calibration['answer']).toMatchObject({ kind })
    const both = withCalibration(once, 'other', given)
    const again = withCalibration(both, 'answer', { ...given, rows: 9 })
    expect(Object.keys(ModelsFile.parse(parse(again)).calibration)).toEqual(['answer', 'other'])
    expect(again.split('\n').filter((line, at) => line !== both.split('\n')[at])).toEqual(['    rows: 9'])
  })

  it('a route that is not there is told', () => {
    const entry = { kind: 'platt', slope: 1, intercept: 0, rows: 50, at: '2026-11-22', error: { before: 0, after: 0 } } as const
    expect(() => withCalibration(FILE, 'nobody', entry)).toThrow('no route or model nobody; it has answer, other, one')
  })

  it('K1: a calibration that would turn the order round is refused with the file', () => {
    const bad = ModelsFile.safeParse({ ...(parse(FILE) as object), calibration: { answer: { kind: 'platt', slope: -1, intercept: 0 } } })
    expect(bad.error?.issues[0]?.message).toContain('the slope not below 0')
  })
})
