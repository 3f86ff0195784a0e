// One handle for logs, metrics and spans; made once a process.

export type Fields = { readonly [key: string]: string | number | boolean | null | undefined }

/** Structured lines (pino). `info` for what an operator follows, `debug` for the rest. Never content, never secrets (H5). */
export type Logger = {
  debug(fields: Fields, message: string): void
  info(fields: Fields, message: string): void
  warn(fields: Fields, message: string): void
  error(fields: Fields, message: string): void
  child(fields: Fields): Logger
}

export type Metrics = {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** Durations in milliseconds; exported in seconds where the convention wants it. */
  observe(name: string, valueMs: number, labels?: Readonly<Record<string, string>>): void
  /** Reads gauges anew each time somebody asks for the text. */
  beforeRender?(read: () => void): void
  /** Prometheus text. */
  render(): Promise<string>
}

/**
 * Runs work as a span below the trace of a message and gives it the trace context for what it sends. A rejection marks the span as
 * failed and goes on.
 */
export type RunSpan = <T>(
  span: {
    readonly name: string
    readonly attributes: Readonly<Record<string, string | number>>
    readonly traceparent?: string | undefined
  },
  work: (traceparent: string | undefined) => Promise<T>,
) => Promise<T>

export type Telemetry = {
  readonly logger: Logger
  readonly metrics: Metrics
  /** Absent where spans go nowhere. */ readonly span?: RunSpan
  close(): Promise<void>
}
