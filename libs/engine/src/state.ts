/** Everything the engine remembers of one run. Opaque to all but the engine; JSON. */
export type RunState = { readonly formatVersion: 1; readonly runId: string }
