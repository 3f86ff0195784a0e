// The tools around the flow language on every flow of the repository and every correct flow of the corpus.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { canonicalJson } from '@baton/contracts/json'
import {
  clientTypes,
  compileFlow,
  diffFlows,
  explainFlow,
  explanationText,
  formatFlow,
  openFlow,
  openPlan,
  planHash,
  toMermaid,
  toSvg,
  type OpenedFlow,
  type Plan,
} from '@baton/flow'
import { emitPlan } from '../libs/flow/src/emit.ts'
import { xmlProblem } from '../libs/flow/src/svg/well-formed.fixture.ts'

const root = join(import.meta.dirname, '..')
const PART = /(?:^|\/)(?:prompts|schemas|agents|evals|models)\//

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(ya?ml|json|md)$/.test(name) && statSync(join(folder, name)).isFile())

const flowsBelow = (folder: string): readonly string[] =>
  filesBelow(join(root, folder))
    .filter((name) => /\.(ya?ml|json)$/.test(name) && !PART.test(name))
    .map((name) => join(root, folder, name))
    .filter((path) => basename(path).startsWith('flow.') || /^steps\s*:|^\s*"steps"\s*:/m.test(readFileSync(path, 'utf8')))

type Found = { readonly files: ReadonlyMap<string, string>; readonly entry: string }

const readFound = (path: string): Found => {
  const folder = dirname(path)
  const parts = filesBelow(folder).filter((name) => PART.test(name))
  return {
    files: new Map([...parts, basename(path)].map((name) => [name, readFileSync(join(folder, name), 'utf8')])),
    entry: basename(path),
  }
}

const paths = [...flowsBelow('flows'), ...flowsBelow('test/flows/right')]

const hashOf = ({ files, entry }: Found): string => {
  const result = compileFlow({ files, entry })
  return result.ok ? result.plan.hash : JSON.stringify(result.diagnostics)
}

const opened = (found: Found): OpenedFlow => {
  const result = openFlow(found)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.flow
}

type Rectangle = { readonly x: number; readonly y: number; readonly right: number; readonly bottom: number }

/** Boxes and ends of a drawing; the background is left out. */
const rectanglesOf = (svg: string): readonly Rectangle[] =>
  [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" rx=/g)].map(([, x, y, width, height]) => ({
    x: Number(x),
    y: Number(y),
    right: Number(x) + Number(width),
    bottom: Number(y) + Number(height),
  }))

/** The horizontal and vertical pieces of the lines of a drawing. */
const segmentsOf = (svg: string): readonly Rectangle[] =>
  [...svg.matchAll(/<path d="([ML\d. ]+)" fill="none"/g)].flatMap(([, path = '']) => {
    const points = [...path.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const)
    return points.slice(1).map(([x, y], index) => {
      const [fromX, fromY] = points[index] ?? [x, y]
      return { x: Math.min(x, fromX), y: Math.min(y, fromY), right: Math.max(x, fromX), bottom: Math.max(y, fromY) }
    })
  })

const inner = ({ x, y, right, bottom }: Rectangle): Rectangle => ({ x: x + 1, y: y + 1, right: right - 1, bottom: bottom - 1 })

const overlap = (a: Rectangle, b: Rectangle): boolean => a.x < b.right && b.x < a.right && a.y < b.bottom && b.y < a.bottom

it('there are flows to look at', () => {
  expect(paths.length).toBeGreaterThan(30)
})

describe.each(paths.map((path) => [relative(root, path), path] as const))('%s', (_, path) => {
  const found = readFound(path)
  const text = found.files.get(found.entry) ?? ''

  it('fmt/F1, F2: keeps its plan when it is formatted, and changes once', () => {
    const json = path.endsWith('.json')
    const formatted = formatFlow(text, { json })
    expect(formatted).toBeDefined()
    expect(hashOf({ ...found, files: new Map([...found.files, [found.entry, formatted ?? '']]) })).toBe(hashOf(found))
    expect(formatFlow(formatted ?? '', { json })).toBe(formatted)
  })

  it('svg/V1: is drawn as well-formed XML in which nothing lies on anything else', () => {
    const svg = toSvg(opened(found).outline)
    expect(xmlProblem(svg)).toBeUndefined()
    const rectangles = rectanglesOf(svg)
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? []
    for (const [index, one] of rectangles.entries()) {
      expect([one.right <= (width ?? 0), one.bottom <= (height ?? 0)]).toEqual([true, true])
      expect(rectangles.slice(index + 1).filter((other) => overlap(one, other))).toEqual([])
      expect(segmentsOf(svg).filter((line) => overlap(inner(one), line))).toEqual([])
    }
  })

  it('outline/O1: is shown, drawn, explained and compared alike when only its plan is left, as text', () => {
    const flow = opened(found)
    const published = openPlan(JSON.parse(canonicalJson(flow.plan)))
    expect(published.outline).toEqual(flow.outline)
    expect(toMermaid(published.plan)).toBe(toMermaid(flow.plan))
    expect(diffFlows(published, flow).changes).toEqual([])
  })

  it('is in its plan: the tree of the plan gives the plan', () => {
    const { plan, tree } = opened(found)
    expect(emitPlan(tree)).toEqual(plan)
  })

  it('is drawn for Mermaid, explained, and typed for clients', () => {
    const flow = opened(found)
    expect(toMermaid(flow.plan)).toMatch(/^flowchart/)
    for (const { name } of flow.outline.steps) expect(explanationText(explainFlow(flow))).toContain(name ?? '')
    expect(clientTypes(flow)).toMatch(/export type \w+Output = /)
  })
})

describe('recorded plans', () => {
  const folder = join(root, 'test/histories/v1')

  it.each(readdirSync(folder))('%s: P1: the plan gets the hash today that it had when it was recorded', (file) => {
    const { plan }: { readonly plan: Plan } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    expect([planHash(plan), emitPlan(openPlan(plan).tree).hash]).toEqual([plan.hash, plan.hash])
  })
})
