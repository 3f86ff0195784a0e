import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from '@jest/globals'
import { loadJudge } from '@baton/policy/cascade'
import { loadRouterModel, promptFeatures, routerScore } from '@baton/policy/router'
import { tuneFromFile } from '../tuning/tune.ts'
import { readOutcomes } from './outcome-table.policy.ts'
import { trainRouterFromFile } from './train-router.ts'

const folder = mkdtempSync(join(tmpdir(), 'baton-router-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string): string => join(folder, name)

/** The small model fails on integrals; long questions are no harder than short ones. */
const lines = Array.from({ length: 80 }, (_, at) => {
  const hard = at % 2 === 0
  const filler = 'please '.repeat(at % 5)
  return JSON.stringify({
    prompt: `${filler}${hard ? 'find the integral of' : 'name the capital of'} item ${at % 7}`,
    ok: { small: !hard, large: at % 20 !== 0 },
    answers: { small: hard ? 'The integral is' : 'It is Lima.' },
  })
})
writeFileSync(path('table.jsonl'), lines.join('\n'))
const nowMs = Date.UTC(2026, 0, 2)

describe('table of outcomes', () => {
  it('O1: takes columns of truth for models, and their answers', () => {
    const csv = 'subject,prompt,small,large,small_response\nmath,"a, b",True,0,"It is 4"\nmath,c,False,,x\n'
    expect(readOutcomes(csv, 'csv')).toEqual([
      { prompt: 'a, b', ok: { small: true, large: false }, answers: { small: 'It is 4' } },
      { prompt: 'c', ok: { small: false }, answers: { small: 'x' } },
    ])
    expect(readOutcomes('{"prompt":"a","ok":{"m":true}}\n', 'jsonl')).toEqual([{ prompt: 'a', ok: { m: true }, answers: {} }])
  })
  it('O2: names the first row that cannot be used', () => {
    expect(() => readOutcomes('prompt,m\na,true\n,true\n', 'csv')).toThrow('Row 2 needs a prompt')
    expect(() => readOutcomes('{"prompt":"a","ok":{}}', 'jsonl')).toThrow('Row 1 says of no model')
    expect(() => readOutcomes('{"prompt":"a","ok":{"m":true}}\n[1]', 'jsonl')).toThrow('Line 2')
    expect(() => readOutcomes('', 'jsonl')).toThrow('no rows')
  })
})

describe('train-router (B17)', () => {
  it('W1: writes a router with its figures beside those of length', async () => {
    const shares: number[] = []
    const report = await trainRouterFromFile({ data: path('table.jsonl'), out: path('router.json.gz'), nowMs }, ({ share }) =>
      shares.push(share),
    )
    expect(report).toMatchObject({ promoted: true, weak: 'small', strong: 'large', rows: 80 })
    expect(report.apgr).toBeGreaterThan(report.length ?? 1)
    expect(report.aboveLength?.low).toBeGreaterThan(0)
    expect(shares.at(-1)).toBe(1)
    const file: unknown = JSON.parse(gunzipSync(readFileSync(path('router.json.gz'))).toString())
    expect(file).toMatchObject({ about: { weak: 'small', apgr: report.apgr, length: report.length, date: '2026-01-02' } })
    const scores = routerScore(loadRouterModel(file), promptFeatures('find the integral of item 3'))
    expect(scores['small']).toBeLessThan(scores['large'] ?? 0)
  })

  it('W2: one that is worse than length is not written, unless it is forced', async () => {
    // Whether the small model is right depends on nothing but length.
    const blind = Array.from({ length: 60 }, (_, at) =>
      JSON.stringify({ prompt: `word${(at * 7_919) % 60} `.repeat(1 + (at % 10)), ok: { small: at % 10 < 5, large: true } }),
    )
    writeFileSync(path('blind.jsonl'), blind.join('\n'))
    const options = { data: path('blind.jsonl'), nowMs, weak: 'large', strong: 'small' }
    const refused = await trainRouterFromFile({ ...options, out: path('refused.json') })
    expect(refused).toMatchObject({ promoted: false, sizeBytes: 0, apgr: null })
    expect(() => readFileSync(path('refused.json'))).toThrow('ENOENT')
    expect(await trainRouterFromFile({ ...options, out: path('forced.json'), force: true })).toMatchObject({ promoted: true })
    expect(JSON.parse(readFileSync(path('forced.json'), 'utf8'))).toMatchObject({ about: { forced: true } })
  })

  it('refuses a table that is too small or has one model', async () => {
    writeFileSync(path('one.jsonl'), lines.map((line) => line.replace(/,"large":(true|false)/, '')).join('\n'))
    await expect(trainRouterFromFile({ data: path('one.jsonl'), out: path('x.json'), nowMs })).rejects.toMatchObject({
      code: 'input.invalid',
    })
    writeFileSync(path('few.jsonl'), lines.slice(0, 9).join('\n'))
    await expect(trainRouterFromFile({ data: path('few.jsonl'), out: path('x.json'), nowMs })).rejects.toThrow('at least 50')
  })
})

describe('tune (B5)', () => {
  const costs = { cheapCostUsd: 0.001, strongCostUsd: 0.02, nowMs }
  it('U1, U2: trains a judge on the answers and finds the threshold for a target', async () => {
    const report = await tuneFromFile({ ...costs, data: path('table.jsonl'), target: { quality: 0.9 }, out: path('judge.json') })
    expect(report).toMatchObject({ kind: 'cascade', cheap: 'small', strong: 'large', rows: 80 })
    expect(report.chosen?.quality).toBeGreaterThanOrEqual(0.9)
    expect(report.chosen?.escalated).toBeLessThan(0.7)
    expect(report.ends[0]).toMatchObject({ escalated: 0, quality: 0.5 })
    const file: unknown = JSON.parse(readFileSync(path('judge.json'), 'utf8'))
    expect(file).toMatchObject({ format: 'baton.judge', about: { threshold: report.chosen?.threshold } })
    expect(loadJudge(file).calibrator.kind).toBe('platt')
  })
  it('without answers tunes the threshold of a learned route', async () => {
    writeFileSync(path('plain.jsonl'), lines.map((line) => line.replace(/,"answers".*$/, '}')).join('\n'))
    const report = await tuneFromFile({ ...costs, data: path('plain.jsonl'), target: { cost: 0.015 }, out: path('never.json') })
    expect(report.kind).toBe('route')
    expect(report.chosen?.cost).toBeLessThanOrEqual(0.015)
    expect(report.out).toBeUndefined()
  })
  it('says when no threshold meets the target', async () => {
    const report = await tuneFromFile({ ...costs, data: path('table.jsonl'), target: { quality: 1 } })
    expect(report.chosen).toBeUndefined()
  })
})
