// The jars of the broker, resolved once by Maven into a folder that git ignores.
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, repositoryRoot } from './machine.ts'
import type { Availability } from './machine.ts'

const run = promisify(execFile)
const JAVA_VERSION_MIN = 17
const RESOLVE_TIMEOUT_MS = 600_000

/** Folder with what the broker is configured by: pom.xml, server.properties, log4j2.properties. */
export const kafkaInfraFolder = (): string => join(repositoryRoot(), 'infra', 'kafka')

// The folder is named after the content of pom.xml, so that a changed version is resolved anew.
const jarFolder = (cache: string): string => {
  const pom = readFileSync(join(kafkaInfraFolder(), 'pom.xml'))
  return join(cache, createHash('sha256').update(pom).digest('hex').slice(0, 12))
}

/** Where jars are kept unless told otherwise. */
const defaultJarCache = (): string => join(repositoryRoot(), '.cache', 'kafka')

/** Whether a broker can be started here: Java 17, and the jars or Maven to resolve them. */
export const javaAvailable = (cache = defaultJarCache()): Availability => {
  const java = findProgram('java')
  if (java === undefined) return { ok: false, reason: 'no java on PATH (Kafka needs Java 17)' }
  const banner = spawnSync(java, ['-version'], { encoding: 'utf8' }).stderr
  const version = Number(/version "(\d+)/.exec(banner)?.[1] ?? 0)
  if (version < JAVA_VERSION_MIN) return { ok: false, reason: `java is version ${version}, Kafka needs ${JAVA_VERSION_MIN}` }
  if (!existsSync(jarFolder(cache)) && findProgram('mvn') === undefined)
    return { ok: false, reason: 'no Kafka jars in .cache/kafka and no mvn on PATH to fetch them' }
  return { ok: true }
}

/** Class path of the broker; the first call on a machine downloads about 44 MB through Maven. */
export const resolveJars = async (cache = defaultJarCache()): Promise<string> => {
  const folder = jarFolder(cache)
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true })
    const parts = await mkdtemp(join(cache, 'parts-'))
    const pom = join(kafkaInfraFolder(), 'pom.xml')
    await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${parts}`], {
      timeout: RESOLVE_TIMEOUT_MS,
    })
    // Two processes may resolve at once: the first rename wins, the other folder is dropped.
    await rename(parts, folder).catch(() => rm(parts, { recursive: true, force: true }))
  }
  return join(folder, '*')
}
