export type * from './telemetry.ts'
export { openTelemetry, type TelemetryOptions } from './open-telemetry.ts'
export { ATTRIBUTES, METRICS, type MetricName } from './names.ts'
export type { LogLevel } from './logger.adapter.ts'
