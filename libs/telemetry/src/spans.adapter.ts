// Spans through the OpenTelemetry SDK. Loaded only where an endpoint is configured: the SDK costs more to load than a service to start.
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'
import type { RunSpan } from './telemetry.ts'

export type Spans = { readonly span: RunSpan; close(): Promise<void> }

const span: RunSpan = ({ name, attributes, traceparent }, work) => {
  const parent = traceparent === undefined ? context.active() : propagation.extract(context.active(), { traceparent })
  return trace.getTracer('baton').startActiveSpan(name, { attributes, kind: SpanKind.CONSUMER }, parent, async (active) => {
    const carrier: { traceparent?: string } = {}
    propagation.inject(context.active(), carrier)
    try {
      return await work(carrier.traceparent)
    } catch (error) {
      active.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) })
      throw error
    } finally {
      active.end()
    }
  })
}

/** Starts the export to a collector (OTLP over HTTP). */
export const openSpans = ({ service, endpoint }: { service: string; endpoint: string }): Spans => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ??= endpoint // the SDK's exporters read their own variables
  process.env['OTEL_METRICS_EXPORTER'] ??= 'none' // metrics are read from /metrics
  process.env['OTEL_LOGS_EXPORTER'] ??= 'none'
  const sdk = new NodeSDK({ serviceName: `baton-${service}`, instrumentations: [] })
  sdk.start()
  return { span, close: () => sdk.shutdown() }
}
