import { describe, expect, it } from '@jest/globals'
import { toFault } from '@baton/contracts'
import { readEnvironment } from './config.ts'

const messageOf = (source: Record<string, string>): string => {
  try {
    readEnvironment(source)
    return ''
  } catch (error) {
    return toFault(error).message
  }
}

describe('environment', () => {
  it('runs in one process where nothing is set', () => {
    const { config, kafka, url } = readEnvironment({})
    expect(config).toMatchObject({ embedded: true, topicPrefix: '', requestBytesMax: 524_288, inlineBytesMax: 65_536, keepContent: true })
    expect(kafka).toBeUndefined()
    expect(url).toBe('http://127.0.0.1:8080')
  })
  it('takes an empty variable as absent', () => {
    expect(readEnvironment({ KAFKA_BROKERS: '', BATON_PORT: ' ' }).config.embedded).toBe(true)
  })
  it('reads brokers, access and services', () => {
    const read = readEnvironment({
      KAFKA_BROKERS: 'a:9092, b:9092',
      DATABASE_URL: 'postgres://u@h/d',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'p',
      KAFKA_SSL: 'true',
      BATON_HITL_URL: 'http://hitl:80/',
    })
    expect(read.kafka).toEqual({ brokers: ['a:9092', 'b:9092'], ssl: {}, sasl: { mechanism: 'plain', username: 'u', password: 'p' } })
    expect(read.config.embedded).toBe(false)
    expect(read.serviceUrls).toMatchObject({ hitl: 'http://hitl:80', tracing: 'http://127.0.0.1:8086' })
  })
  it('takes the Kafka client library by its name, and no other', () => {
    const base = { KAFKA_BROKERS: 'a:9092', DATABASE_URL: 'postgres://u@h/d' }
    expect(readEnvironment({ ...base, BATON_KAFKA_CLIENT: 'platformatic' }).kafka?.client).toBe('platformatic')
    expect(messageOf({ ...base, BATON_KAFKA_CLIENT: 'librdkafka' })).toMatch(/BATON_KAFKA_CLIENT/)
  })
  it('E1: names every wrong variable at once', () => {
    expect(messageOf({ KAFKA_BROKERS: 'nonsense', BATON_PORT: '70000', LOG_LEVEL: 'loud', BATON_TOOLS_URL: 'tools' })).toMatch(
      /(?=[\s\S]*KAFKA_BROKERS)(?=[\s\S]*BATON_PORT)(?=[\s\S]*LOG_LEVEL)(?=[\s\S]*BATON_TOOLS_URL)(?=[\s\S]*DATABASE_URL)/,
    )
  })
  it('E2: never prints a value', () => {
    expect(messageOf({ DATABASE_URL: 'mysql://user:hunter2@host/db', KAFKA_SASL_PASSWORD: 'hunter2' })).not.toContain('hunter2')
  })
  it('takes certificates and the password as text or as files, and is not told both', () => {
    const base = { KAFKA_BROKERS: 'a:9092', DATABASE_URL: 'postgres://u@h/d' }
    const pem = '-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----'
    const files = { KAFKA_SSL_CERT_FILE: '/c', KAFKA_SSL_KEY_FILE: '/k', KAFKA_SASL_PASSWORD_FILE: '/p' }
    const { kafka } = readEnvironment({
      ...base,
      ...files,
      KAFKA_SSL_CA: pem,
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'u',
    })
    expect(kafka).toMatchObject({
      ssl: { ca: pem.replaceAll('\\n', '\n'), certFile: '/c', keyFile: '/k' },
      sasl: { mechanism: 'scram-sha-512', username: 'u', passwordFile: '/p' },
    })
    expect(messageOf({ ...base, KAFKA_SSL_CA: 'hunter2', KAFKA_SSL_CERT_FILE: '/c', KAFKA_SASL_USERNAME: 'u' })).toMatch(
      /^(?=[\s\S]*KAFKA_SSL_CA: must be PEM)(?=[\s\S]*KAFKA_SSL_KEY: is needed)(?=[\s\S]*KAFKA_SASL_PASSWORD: is needed)(?![\s\S]*hunter2)/,
    )
    expect(messageOf({ ...base, KAFKA_SSL_CA: pem, KAFKA_SSL_CA_FILE: '/ca' })).toContain('KAFKA_SSL_CA: is set as text and as a file')
  })
})
