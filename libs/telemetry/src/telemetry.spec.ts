import { describe, expect, it } from '@jest/globals'
import { openLogger, prettyLine } from './logger.adapter.ts'
import { openMetrics } from './metrics.adapter.ts'

const lines = (level: 'debug' | 'info' = 'info', format: 'json' | 'pretty' = 'json') => {
  const written: string[] = []
  return { written, logger: openLogger({ service: 'models', level, format, destination: { write: (text) => void written.push(text) } }) }
}

describe('logs', () => {
  it('T1: never writes a field whose name speaks of a secret, also in children', () => {
    const { written, logger } = lines()
    logger
      .child({ apiKey: 'sk-1' })
      .info({ authorization: 'Bearer x', token: 't', accessToken: 'a', runId: 'run_1', inputTokens: 12 }, 'call')
    expect(written.join('')).not.toMatch(/sk-1|Bearer x|"t"|"a"/)
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ runId: 'run_1', inputTokens: 12, service: 'models', msg: 'call' })
  })
  it('leaves out what is below the level', () => {
    const { written, logger } = lines('info')
    logger.debug({}, 'detail')
    expect(written).toEqual([])
  })
  it('writes one readable line where a terminal reads', () => {
    expect(prettyLine(JSON.stringify({ level: 30, time: 0, msg: 'started', port: 8080 }))).toBe('00:00:00.000 info  started port=8080\n')
  })
})

describe('metrics', () => {
  it('exports observations in seconds where the name says so', async () => {
    const metrics = openMetrics()
    metrics.observe('baton_message_seconds', 1_500, { service: 'models', pattern: 'model.invoke' })
    expect(await metrics.render()).toMatch(/baton_message_seconds_sum\{service="models",pattern="model.invoke"\} 1.5/)
  })
  it('T2: never throws for labels that are missing or unknown', async () => {
    const metrics = openMetrics()
    metrics.count('baton_faults_total', { service: 'models', surprise: 'x' })
    metrics.count('own_total', { a: '1' })
    metrics.count('own_total', { b: '2' })
    const text = await metrics.render()
    expect(text).toMatch(/baton_faults_total\{service="models",code=""\} 1/)
    expect(text).toMatch(/own_total\{a=""\} 1/)
  })
  it('T3: reads the figures of the process when asked', async () => {
    expect(await openMetrics().render()).toMatch(/process_resident_memory_bytes \d+/)
  })
})
