// The matrix of failures names, for every fault, the test that proves what is promised; or says that none does.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/concepts/failures.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:fault |-)/.test(line))
  .map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split(' | ')
      .map((cell) => cell.trim()),
  )

describe.each(rows)('when: %s', (_fault, happens, _promise, proof = '') => {
  it('says what happens, and what proves it', () => {
    expect(happens).not.toBe('')
    const named = [...proof.matchAll(/`([^`]+)` "([^"]+)"/g)]
    expect(named.length > 0 || proof.includes('**not proved yet**')).toBe(true)
    const missing = named.filter(([, path = '', title = '']) => {
      const file = join(root, path)
      return !existsSync(file) || !readFileSync(file, 'utf8').includes(title)
    })
    expect(missing.map(([text]) => text)).toEqual([])
  })
})

it('has a row for every kind of fault', () => {
  expect(rows.length).toBeGreaterThan(50)
  expect(new Set(rows.map(([fault]) => fault)).size).toBe(rows.length)
})
