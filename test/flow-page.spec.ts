// Whole flows that documents show must compile: what is copied from a page has to work.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { compileFlow, formatDiagnostic } from '@baton/flow'

const PAGES = ['docs/concepts/flow.md']

/** The blocks of a page that are whole flows, by the heading they stand under. */
const flowsIn = (page: string): readonly { readonly heading: string; readonly text: string }[] => {
  const text = readFileSync(join(import.meta.dirname, '..', page), 'utf8')
  let heading = page
  return [...text.matchAll(/^## (.+)$|^```yaml\n([\s\S]*?)^```$/gm)].flatMap(([, title, block]) => {
    if (title !== undefined) heading = title
    return block !== undefined && /^steps:/m.test(block) ? [{ heading, text: block }] : []
  })
}

describe.each(PAGES)('%s', (page) => {
  const flows = flowsIn(page)

  it('shows each idea with a flow', () => {
    expect(flows.length).toBeGreaterThan(8)
  })

  it.each(flows)('$heading: the flow compiles', ({ text }) => {
    const { diagnostics } = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml' })
    expect(diagnostics.map(formatDiagnostic)).toEqual([])
  })
})
