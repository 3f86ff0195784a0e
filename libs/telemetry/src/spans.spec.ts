import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { openTelemetry } from './open-telemetry.ts'

describe('spans', () => {
  it('G3: go to the collector, below the trace of the message that caused them', async () => {
    const bodies: Buffer[] = []
    const collector = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk))
      request.on('end', () => response.end('{}'))
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as AddressInfo
    const telemetry = openTelemetry({ service: 'spec', level: 'silent', otlpEndpoint: `http://127.0.0.1:${port}` })
    const traceId = 'ab'.repeat(16)
    const work = () =>
      telemetry.span?.(
        { name: 'model.invoke', attributes: { 'baton.run.id': 'run_1' }, traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` },
        async (traceparent) => traceparent,
      )
    let sent = await work()
    while (sent === `00-${traceId}-${'cd'.repeat(8)}-01`) {
      await new Promise((resolve) => setTimeout(resolve, 10)) // the SDK is still being loaded
      sent = await work()
    }
    await telemetry.close()
    collector.close()
    expect(sent).toMatch(new RegExp(`^00-${traceId}-(?!cdcd)[0-9a-f]{16}-01$`))
    expect(Buffer.concat(bodies).toString('latin1')).toMatch(/model\.invoke[\s\S]*run_1/)
  }, 30_000)

  it('are not even prepared without an endpoint', () => {
    expect(openTelemetry({ service: 'spec', level: 'silent' }).span).toBeUndefined()
  })
})
