import { openLogger, type LogLevel } from './logger.adapter.ts'
import { openMetrics } from './metrics.adapter.ts'
import type { Spans } from './spans.adapter.ts'
import type { RunSpan, Telemetry } from './telemetry.ts'

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

/** Spans as soon as the SDK is there; what runs before is not traced. */
const lazySpans = (options: { service: string; endpoint: string; onError: (reason: string) => void }): Spans => {
  let spans: Spans | undefined
  const loading = import('./spans.adapter.ts')
    .then(({ openSpans }) => {
      spans = openSpans(options)
    })
    .catch((error: unknown) => options.onError(error instanceof Error ? error.message : String(error)))
  const span: RunSpan = (given, work) => (spans === undefined ? work(given.traceparent) : spans.span(given, work))
  const close = async (): Promise<void> => {
    await loading
    await spans?.close().catch(() => undefined) // a collector that is down must not hold up the end of the process
  }
  return { span, close }
}

/** Opens logs and metrics of a process; spans too when an endpoint is given. Never fails for a collector that is down. */
export const openTelemetry = (options: TelemetryOptions): Telemetry => {
  const { service, level = 'info', format = 'json', otlpEndpoint: endpoint } = options
  const logger = openLogger({ service, level, format })
  const onError = (reason: string): void => logger.warn({ reason }, 'spans are not exported')
  const spans = endpoint === undefined ? undefined : lazySpans({ service, endpoint, onError })
  return {
    logger,
    metrics: openMetrics(),
    ...(spans === undefined ? {} : { span: spans.span }),
    close: async () => spans?.close(),
  }
}
