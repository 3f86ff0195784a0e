import { openLogger, type LogLevel } from './logger.adapter.ts'
import { openMetrics } from './metrics.adapter.ts'
import type { Telemetry } from './telemetry.ts'

export type TelemetryOptions = {
  /** Name of the process: a service, or `baton` where all share one. */
  readonly service: string
  /** Default `info`. */
  readonly level?: LogLevel
  /** `pretty` for a terminal, `json` for a collector. Default `json`. */
  readonly format?: 'pretty' | 'json'
  /** Spans are exported there (OTLP over HTTP). Absent: the OpenTelemetry SDK is not even loaded, which keeps the start short. */
  readonly otlpEndpoint?: string
}

const openExporter = async (service: string, endpoint: string): Promise<() => Promise<void>> => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ??= endpoint // the SDK's exporters read their own variables
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const sdk = new NodeSDK({ serviceName: `baton-${service}`, instrumentations: [] })
  sdk.start()
  return () => sdk.shutdown()
}

/** Opens logs and metrics of a process; spans too when an endpoint is given. Never fails for a collector that is down. */
export const openTelemetry = (options: TelemetryOptions): Telemetry => {
  const logger = openLogger({ service: options.service, level: options.level ?? 'info', format: options.format ?? 'json' })
  const exporter = options.otlpEndpoint === undefined ? undefined : openExporter(options.service, options.otlpEndpoint)
  exporter?.catch((error: unknown) =>
    logger.warn({ reason: error instanceof Error ? error.message : String(error) }, 'spans are not exported'),
  )
  return {
    logger,
    metrics: openMetrics(),
    close: async () => {
      const shutdown = await exporter?.catch(() => undefined)
      await shutdown?.().catch(() => undefined) // a collector that is down must not hold up the end of the process
    },
  }
}
