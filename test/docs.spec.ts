// What README and documents name has to exist: files, anchors, commands, options, environment variables.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const pagesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
const flowPages = readdirSync(join(root, 'flows'))
  .map((name) => join('flows', name, 'README.md'))
  .filter((path) => existsSync(join(root, path)))
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'AGENTS.md',
  'CONTRIBUTING.md',
  'data/README.md',
  ...flowPages,
  'docs/generated/flow-format.md',
  ...pagesIn('docs/concepts'),
  ...pagesIn('docs/decisions'),
]
const ours = ['README.md', ...flowPages, ...pagesIn('docs/concepts')]

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '')
const anchorsOf = (text: string): readonly string[] => [
  ...[...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  ),
  ...[...text.matchAll(/<a id="([\w-]+)">/g)].map(([, id = '']) => id),
]

describe.each(pages)('%s', (page) => {
  it('links to what is there', () => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor))
    })
    expect(broken).toEqual([])
  })
})

describe.each(ours)('%s', (page) => {
  const text = read(page)

  it('names files that are there', () => {
    const named = [...text.matchAll(/`((?:libs|services|cli|flows|config|data|docs|test|scripts)\/[\w@./-]+)`/g)].map(
      ([, path = '']) => path,
    )
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('shows commands and options that the command line has', () => {
    const reference = read('docs/generated/cli.md')
    const sections = new Map(
      [...reference.matchAll(/^## (baton.*)\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].map(([, name = '', body = '']) => [name, body]),
    )
    const wrong = [...text.matchAll(/\bnpx (baton(?: [^\n`|#&]*)?)/g)].flatMap(([, line = '']) => {
      const words = line.trim().split(/\s+/)
      const command = [3, 2, 1].map((count) => words.slice(0, count).join(' ')).find((name) => sections.has(name))
      const options = words.filter((word) => word.startsWith('--'))
      const known = sections.get(command ?? '') ?? ''
      const isGroup = known.includes('\nCommands:') && words.length > 1
      return isGroup ? [line] : options.filter((option) => !known.includes(option)).map((option) => `${line}: ${option}`)
    })
    expect(wrong).toEqual([])
  })

  it('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> } // npm made it
    const named = [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name)
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
  })
})

describe.each(['README.md', 'docs/concepts/configuration.md'])('%s', (page) => {
  it('lists every environment variable of Baton', () => {
    const variables = [...read('libs/service/src/config.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, name = '']) => name)
    expect(variables.filter((name) => !read(page).includes(`\`${name}\``))).toEqual([])
  })
})

describe('the feature table of the README', () => {
  const rows = [...read('README.md').matchAll(/^\| ([A-JS]\d{1,2}) +\| .* \| (here|part|later) +\|(.*)\|$/gm)]

  it('has each id once', () => {
    const last = { A: 17, B: 19, C: 13, D: 9, E: 10, F: 8, G: 8, H: 7, I: 9, J: 4, S: 15 }
    const ids = Object.entries(last).flatMap(([letter, count]) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`))
    expect(rows.map(([, id]) => id)).toEqual(ids)
  })

  it('names what shows it for all that is here, and what is missing for all that is part', () => {
    expect(rows.filter(([, , status, note = '']) => status !== 'later' && note.trim() === '').map(([, id]) => id)).toEqual([])
  })
})
