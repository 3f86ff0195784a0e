// Plain tables and figures for terminals: no library, because alignment is all they need.

/** Rows under a header, columns padded; numbers to the right. */
export const table = (header: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const cells = [header, ...rows.map((row) => row.map(String))]
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const numeric = header.map(
    (_, column) =>
      rows.length > 0 &&
      rows.every((row) => typeof row[column] === 'number' || /^[\d.,]+( ?(%|ms|s|USD))?$/.test(String(row[column] ?? ''))),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return cells
    .map((row, index) => (index === 0 ? `${line(row)}\n${widths.map((width) => '-'.repeat(width)).join('  ')}` : line(row)))
    .join('\n')
}

/** `0.934` as `93.4 %`; a share of nothing is `-`. */
export const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`)

/** Milliseconds for people: `4.2 ms`, `1.3 s`, `2.5 min`, `7.0 d`. */
export const duration = (ms: number): string => {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 172_800_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 86_400_000).toFixed(1)} d`
}

/** The q-quantile by nearest rank; 0 for an empty list. */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? 0
}
