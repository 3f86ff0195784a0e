/** Tokens of the gateway's own providers. */
export const INTAKE = Symbol('intake')
export const CATALOG = Symbol('flow catalog')
export const RESULTS = Symbol('watch of the results')
export const TRIGGERS = Symbol('triggers')
export const JOURNAL = Symbol('watch of the journal')
export const JOBS = Symbol('jobs')
export const DESK = Symbol('desk of dead letters')
/** Events that came with a key. */
export const EVENTS = Symbol('events')
/** Pieces of text while models write them. */
export const PIECES = Symbol('watch of the pieces')
