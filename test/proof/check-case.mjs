// How a case of the corpus is checked, the same by the proof and by the spec.

/** What the library `flow` finds in a case. A folder `before` holds the version that the flow follows. */
export const checkCase = ({ compileFlow }, { files, entry }) => compileFlow({ files, entry }).diagnostics
