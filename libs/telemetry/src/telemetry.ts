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

export type Telemetry = { readonly logger: Logger; readonly metrics: Metrics; close(): Promise<void> }
