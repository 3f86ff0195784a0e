import { readFile } from 'node:fs/promises'
import { Fault } from '@baton/contracts'
import type { SecretRef } from './mcp-config.ts'

/** The secret that a reference names. Throws `config.invalid` naming the reference, never what it holds. */
export const readSecret = async (ref: SecretRef, env: NodeJS.ProcessEnv = process.env): Promise<string> => {
  if ('env' in ref) {
    const value = env[ref.env]
    if (value === undefined || value === '') throw new Fault('config.invalid', `the variable ${ref.env} is not set`, { variable: ref.env })
    return value
  }
  try {
    return (await readFile(ref.file, 'utf8')).trim()
  } catch {
    throw new Fault('config.invalid', `the file ${ref.file} cannot be read`, { file: ref.file })
  }
}

/** Plain values and secrets of a table, and which of its values are secret. */
export const readValues = async (
  table: { readonly [name: string]: string | SecretRef },
  env?: NodeJS.ProcessEnv,
): Promise<{ readonly values: Record<string, string>; readonly secrets: readonly string[] }> => {
  const values: Record<string, string> = {}
  const secrets: string[] = []
  for (const [name, value] of Object.entries(table)) {
    if (typeof value === 'string') {
      values[name] = value
      continue
    }
    const secret = await readSecret(value, env)
    values[name] = secret
    secrets.push(secret)
  }
  return { values, secrets }
}
