import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { Fault, toFault } from '@baton/contracts/fault'

/** JSON as an option takes it: itself, `@FILE`, or `-` for standard input. */
export const readJson = async (option: string, given: string): Promise<unknown> => {
  const json = given === '-' ? await readAll(process.stdin) : given.startsWith('@') ? await readFile(given.slice(1), 'utf8') : given
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new Fault('request.malformed', `${option} is not JSON: ${toFault(error).message}`)
  }
}
