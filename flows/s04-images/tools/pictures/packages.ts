// Packages that the looks need and that are no part of Baton: they are large, and not everybody looks at pictures.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Fault } from '@baton/contracts/fault'

const from = [join(process.cwd(), 'package.json'), import.meta.url]

const pathOf = (name: string): string | undefined => {
  for (const base of from) {
    try {
      return createRequire(base).resolve(name)
    } catch {
      continue
    }
  }
  return undefined
}

/** Where the packages are, by name. Throws `config.invalid` with the command that installs what is missing. */
export const installed = (what: string, packages: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const paths = Object.keys(packages).map((name) => [name, pathOf(name)] as const)
  if (paths.some(([, path]) => path === undefined))
    throw new Fault('config.invalid', `${what} needs packages that are not installed: npm install ${Object.values(packages).join(' ')}`)
  return Object.fromEntries(paths.flatMap(([name, path]) => (path === undefined ? [] : [[name, path]])))
}
