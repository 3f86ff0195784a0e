// Rows {what, must, seen, ok, note} as a table; gives the exit code.
export const printRows = (rows) => {
  const lines = [
    ['what', 'must', 'seen', ''],
    ...rows.map(({ what, must, seen, ok }) => [what, String(must), String(seen), ok ? 'PASS' : 'FAIL']),
  ]
  const widths = lines[0].map((_none, at) => Math.max(...lines.map((line) => line[at].length)))
  for (const line of lines)
    console.log(
      line
        .map((cell, at) => cell.padEnd(widths[at]))
        .join(' | ')
        .trimEnd(),
    )
  for (const { what, note } of rows) if (note) console.log(`  ${what}: ${note}`)
  const failed = rows.filter(({ ok }) => !ok).length
  console.log(`${rows.length - failed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}
