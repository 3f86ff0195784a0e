// docker-compose.yml and Dockerfile, as far as they can be checked without a container engine.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { SERVICES } from '../libs/contracts/src/topics.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

type ComposeService = {
  readonly image?: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
}
type ComposeFile = { readonly services: Readonly<Record<string, ComposeService>>; readonly volumes: Readonly<Record<string, unknown>> }

const compose: ComposeFile = parse(read('docker-compose.yml'), { merge: true })
const ours = SERVICES.map((name) => ({ name, service: compose.services[name] ?? {} }))

describe('docker-compose.yml', () => {
  it('is a compose file by the Compose Specification', () => {
    const schema: Record<string, unknown> = JSON.parse(read('node_modules/docker-compose/schema/compose-spec.json'))
    // The schema names its dialect by the https address, which ajv knows by the http one; formats are checked by the engine itself.
    const validate = new Ajv({ strict: false, validateFormats: false }).compile({
      ...schema,
      $schema: 'http://json-schema.org/draft-07/schema#',
    })
    expect(validate(compose)).toBe(true)
  })

  it('J2: runs every service from one image built here, with Kafka and PostgreSQL', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual([...SERVICES, 'kafka', 'postgres'].toSorted())
    for (const { name, service } of ours) {
      expect([service.image, service.build, service.command]).toEqual(['baton:local', '.', ['up', '--only', name]])
      expect(service.depends_on).toEqual({ kafka: { condition: 'service_healthy' }, postgres: { condition: 'service_healthy' } })
    }
  })

  it('sets only variables that Baton reads, and each service knows where the others are', () => {
    const known = new Set([...read('libs/service/src/config.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]))
    for (const name of SERVICES) known.add(`BATON_${name.toUpperCase()}_URL`)
    for (const { service } of ours) {
      const environment = service.environment ?? {}
      expect(Object.keys(environment).filter((variable) => !known.has(variable))).toEqual([])
      for (const name of SERVICES) expect(environment[`BATON_${name.toUpperCase()}_URL`]).toBe(`http://${name}:8080`)
      expect([environment['KAFKA_BROKERS'], environment['DATABASE_URL']]).toEqual([
        'kafka:9092',
        'postgres://baton:baton@postgres:5432/baton',
      ])
    }
  })

  it('advertises Kafka under the addresses it is reached by: inside the network and on this machine', () => {
    const { environment = {}, ports } = compose.services['kafka'] ?? {}
    expect(environment['KAFKA_ADVERTISED_LISTENERS']).toBe('INSIDE://kafka:9092,OUTSIDE://localhost:9092')
    expect(environment['KAFKA_LISTENERS']).toContain('INSIDE://:9092,OUTSIDE://:29092')
    expect(ports).toEqual(['9092:29092'])
    expect(compose.services['gateway']?.ports).toEqual(['8080:8080'])
  })

  it('keeps data in volumes that it declares', () => {
    const used = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0]))
    expect(used.toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')

  it('copies only what exists and what .dockerignore lets through', () => {
    const ignored = new Set(read('.dockerignore').split('\n'))
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1))
    expect(sources.length).toBeGreaterThan(0)
    expect(sources.filter((source) => !existsSync(join(root, source)) || ignored.has(source))).toEqual([])
  })

  it('starts the command line as nobody special, on the port that compose and health check use', () => {
    const text = lines.join('\n')
    expect(text).toContain('ENTRYPOINT ["node", "cli/bin/baton.mjs"]')
    expect(existsSync(join(root, 'cli/bin/baton.mjs'))).toBe(true)
    expect(text).toMatch(/^USER node$/m)
    expect(text).toContain('BATON_HOST=0.0.0.0 BATON_PORT=8080')
    expect(text).toMatch(/^FROM node:24/m)
  })
})
