// What a .gitignore leaves out, as git reads it: later rules win, `!` takes back, `/` at the end means folders, `/` before it means from here.
export type IgnoreRule = { readonly base: string; readonly back: boolean; readonly folders: boolean; readonly pattern: RegExp }

const escaped = (text: string): string => text.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)

/** `**` between slashes is any folders, `*` anything within a name, `?` one letter of it. */
const patternOf = (glob: string): RegExp => {
  const anchored = glob.replace(/\/$/, '').includes('/')
  const path = glob
    .replace(/^\/|\/$/g, '')
    .split('/')
    .map((name) => (name === '**' ? '**' : escaped(name).replaceAll('*', '[^/]*').replaceAll('?', '[^/]')))
    .join('/')
    .replaceAll('**/', '(?:[^/]+/)*')
    .replaceAll('/**', '(?:/.*)?')
  return new RegExp(`^${anchored ? '' : '(?:[^/]+/)*'}${path}$`)
}

/** The rules of a .gitignore in the folder `base` ('' is the root, else it ends with `/`). */
export const rulesOf = (text: string, base: string): readonly IgnoreRule[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const back = line.startsWith('!')
      const glob = back ? line.slice(1) : line
      return { base, back, folders: glob.endsWith('/'), pattern: patternOf(glob) }
    })

/** Whether the last rule that fits the path leaves it out. */
export const isIgnored = (path: string, folder: boolean, rules: readonly IgnoreRule[]): boolean => {
  const fits = rules.findLast(
    ({ base, folders, pattern }) => (folder || !folders) && path.startsWith(base) && pattern.test(path.slice(base.length)),
  )
  return fits !== undefined && !fits.back
}
