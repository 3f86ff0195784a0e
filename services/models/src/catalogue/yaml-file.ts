import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import { parse } from 'yaml'
import { z } from 'zod'

const parseYaml = (path: string, text: string): unknown => {
  try {
    return parse(text)
  } catch (error) {
    throw new Fault('config.invalid', `${basename(path)} is not valid YAML: ${error instanceof Error ? error.message : ''}`, {
      file: basename(path),
    })
  }
}

/** Reads a YAML file and checks it. Throws `config.invalid` with the path of the first mistake. */
export const readYaml = async <S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Fault('config.invalid', `${basename(path)} cannot be read.`, { file: basename(path) }, { cause: error })
  })
  const read = schema.safeParse(parseYaml(path, text))
  if (read.success) return read.data
  throw new Fault('config.invalid', `${basename(path)} has mistakes:\n${z.prettifyError(read.error)}`, { file: basename(path) })
}
