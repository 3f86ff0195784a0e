import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import type { z } from 'zod'
import { parseConfig } from './config-text.ts'

/** Reads a YAML file and checks it. Throws `config.invalid` with the line of each mistake. */
export const readYaml = async <S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> => {
  const file = basename(path)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Fault('config.invalid', `${file} cannot be read.`, { file }, { cause: error })
  })
  return parseConfig(text, schema, file)
}
