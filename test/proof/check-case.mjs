// How a case of the corpus is checked, the same by the proof and by the spec.
const BEFORE = 'before/'

/** What the library finds in a case. A folder `before` holds the version that the flow follows. */
export const checkCase = ({ compileFlow, formatDiagnostic }, { files, entry }) => {
  const own = new Map([...files].filter(([path]) => !path.startsWith(BEFORE)))
  const earlier = new Map([...files].filter(([path]) => path.startsWith(BEFORE)).map(([path, text]) => [path.slice(BEFORE.length), text]))
  if (earlier.size === 0) return compileFlow({ files: own, entry }).diagnostics
  const before = compileFlow({ files: earlier, entry })
  if (!before.ok) throw new Error(before.diagnostics.map(formatDiagnostic).join('\n'))
  return compileFlow({ files: own, entry, follows: before.plan }).diagnostics
}
