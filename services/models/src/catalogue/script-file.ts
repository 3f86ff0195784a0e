import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import { z } from 'zod'
import { Script } from '../adapters/script.ts'
import { readYaml } from './yaml-file.ts'

const LINES = /\.(jsonl|ndjson)$/

const parseLine = (line: string, { file, number }: { file: string; number: number }): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw new Fault('config.invalid', `${file} has no JSON in line ${number}.`, { file, line: number })
  }
}

/** Reads a script: YAML with `answers`, or JSON lines with one answer each. Throws `config.invalid` with the place of the first mistake. */
export const readScript = async (path: string): Promise<Script> => {
  if (!LINES.test(path)) return readYaml(path, Script)
  const file = basename(path)
  const text = await readFile(path, 'utf8')
  const answers = text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [parseLine(line, { file, number: at + 1 })]))
  const read = Script.safeParse({ answers })
  if (read.success) return read.data
  throw new Fault('config.invalid', `${file} has mistakes:\n${z.prettifyError(read.error)}`, { file })
}
