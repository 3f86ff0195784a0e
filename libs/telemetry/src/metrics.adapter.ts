// Metrics through prom-client.
//   T2. Counting never throws: a label that is not declared is dropped, a declared one that is missing is empty.
//   T3. Nothing runs between scrapes: process figures are read when asked for, so that an idle process stays idle.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { LATENCY_BUCKETS_MS, METRICS, type MetricKind, type MetricSpec } from './names.ts'
import type { Metrics } from './telemetry.ts'

type Labels = Readonly<Record<string, string>>
type Instrument = { readonly labels: readonly string[]; readonly record: (labels: Record<string, string>, value: number) => void }

const PINNED: ReadonlyMap<string, MetricSpec> = new Map(Object.entries(METRICS))

const instrument = (registry: Registry, name: string, spec: MetricSpec): Instrument => {
  const options = { name, help: spec.about, labelNames: [...spec.labels], registers: [registry] }
  const scale = name.endsWith('_seconds') ? 1 / 1_000 : 1
  switch (spec.kind) {
    case 'counter': {
      const counter = new Counter(options)
      return { labels: spec.labels, record: (labels, value) => counter.inc(labels, value) }
    }
    case 'gauge': {
      const gauge = new Gauge(options)
      return { labels: spec.labels, record: (labels, value) => gauge.set(labels, value) }
    }
    case 'histogram': {
      const histogram = new Histogram({ ...options, buckets: (spec.bucketsMs ?? LATENCY_BUCKETS_MS).map((bound) => bound * scale) })
      return { labels: spec.labels, record: (labels, value) => histogram.observe(labels, value * scale) }
    }
  }
}

const fit = (declared: readonly string[], given: Labels): Record<string, string> => {
  const labels: Record<string, string> = {}
  for (const name of declared) labels[name] = given[name] ?? '' // T2
  return labels
}

const processFigures = (registry: Registry): void => {
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read()) // T3
      },
    })
  gauge('process_resident_memory_bytes', 'Resident memory of the process', () => process.memoryUsage.rss())
  gauge('nodejs_heap_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  gauge('process_cpu_seconds', 'CPU time since the start', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
}

/** Metrics of one process. Names of `names.ts` have pinned labels; any other takes the labels of its first use. */
export const openMetrics = (): Metrics => {
  const registry = new Registry()
  const instruments = new Map<string, Instrument>()
  const readers: (() => void)[] = []
  processFigures(registry)
  const record = (kind: MetricKind, name: string, labels: Labels, value: number): void => {
    let found = instruments.get(name)
    if (found === undefined) {
      found = instrument(registry, name, PINNED.get(name) ?? { kind, about: name, labels: Object.keys(labels) })
      instruments.set(name, found)
    }
    found.record(fit(found.labels, labels), value)
  }
  return {
    count: (name, labels = {}, by = 1) => record('counter', name, labels, by),
    gauge: (name, value, labels = {}) => record('gauge', name, labels, value),
    observe: (name, valueMs, labels = {}) => record('histogram', name, labels, valueMs),
    beforeRender: (read) => void readers.push(read),
    render: () => {
      for (const read of readers) read()
      return registry.metrics()
    },
  }
}
