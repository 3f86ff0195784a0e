// Files that checks learn from, read from the folder of the flows, once.
//   B1. A name stays inside the folder, whatever it is made of; a file larger than the limit is not read.
//   B2. What was read is kept, at most `KEPT_MAX` of a kind; a file that cannot be read is tried again.
import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { Fault } from '@baton/contracts'

const KEPT_MAX = 32
const BYTES_MAX = 32 * 1024 * 1024

const refuse = (check: string, file: string, reason: string): Fault =>
  new Fault('flow.invalid', `check ${check}: ${file.slice(0, 200)} ${reason}`, { check, file: file.slice(0, 200) })

const locate = async (flowsDir: string, { check, file }: { readonly check: string; readonly file: string }): Promise<string> => {
  const [root, path] = await Promise.all([realpath(flowsDir), realpath(join(flowsDir, file))]).catch(() => {
    throw refuse(check, file, 'is not in the folder of the flows')
  })
  const inside = relative(root, path)
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) throw refuse(check, file, 'is not in the folder of the flows') // B1
  const { size } = await stat(path)
  if (size > BYTES_MAX) throw refuse(check, file, `is larger than ${BYTES_MAX} bytes`)
  return path
}

/** Reads files by name and makes something of each. Throws `flow.invalid` for a file that there is not. */
export const createFlowFiles = <T>(flowsDir: string, check: string, make: (bytes: Buffer) => T): ((file: string) => Promise<T>) => {
  const kept = new Map<string, Promise<T>>()
  return (file) => {
    const known = kept.get(file)
    if (known !== undefined) return known
    const reading = locate(flowsDir, { check, file })
      .then((path) => readFile(path))
      .then(make)
    if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value ?? '') // B2
    kept.set(file, reading)
    reading.catch(() => kept.delete(file))
    return reading
  }
}
