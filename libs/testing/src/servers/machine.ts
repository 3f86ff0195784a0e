// What this machine offers to a test: free ports and installed programs.
import { accessSync, constants, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Whether a kind of server can be had here; the reason is printed when its suites are skipped. */
export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Root folder of the repository; the same distance from the sources and from `dist`. */
export const repositoryRoot = (): string => fileURLToPath(new URL('../../../../', import.meta.url))

/** Ports of the loopback address that were free a moment ago; all different. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, listening))
  await Promise.all(servers.map(({ close }) => close()))
  return servers.map(({ port }) => port)
}

const listening = (): Promise<{ port: number; close: () => Promise<void> }> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('No port was given'))
      resolve({ port: address.port, close: () => new Promise((done) => server.close(() => done())) })
    })
  })

/** Full path of a program on PATH or in one of the extra folders; undefined when it is not installed. */
export const findProgram = (name: string, extraFolders: readonly string[] = []): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), ...extraFolders].map((folder) => join(folder, name)).find(executable)

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Sub-folders of a folder, the highest number first; empty when there is none. */
export const versionFolders = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
      .toSorted((a, b) => Number(b) - Number(a))
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}
