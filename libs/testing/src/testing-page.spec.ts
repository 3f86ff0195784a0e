// The flow and the test that docs/concepts/testing.md shows.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { playTestFile, readTestFile } from './file/index.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/concepts/testing.md'), 'utf8')
const [flow = '', test = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)

describe('the page about testing', () => {
  it('shows a test that passes and takes every way of its flow', async () => {
    const file = readTestFile('refunds.test.yaml', test)
    expect(file.mistakes).toEqual([])
    const { cases, coverage } = await playTestFile(file, { source: { files: { 'flow.yaml': flow } }, text: flow })
    expect(
      cases.flatMap(({ name, differences, broken }) => [
        ...differences.map(({ message }) => `${name}: ${message}`),
        ...(broken === undefined ? [] : [broken]),
      ]),
    ).toEqual([])
    expect(cases).toHaveLength(5)
    expect(coverage.points.filter(({ taken }) => !taken)).toEqual([])
  })
})
