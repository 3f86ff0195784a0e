import type { JsonObject } from '@baton/contracts'

/** A document as it was read from a file. */
export type SourceDocument = {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly meta?: JsonObject
  readonly source: string
  readonly sourceAtMs?: number
}

/** A file as a reader gets it. */
export type SourceFile = {
  /** What its documents are named by. */
  readonly id: string
  readonly source: string
  readonly sourceAtMs?: number
  readonly bytes: Buffer
}

/** What all documents of a file have. */
export const placeOf = ({ source, sourceAtMs }: SourceFile): Pick<SourceDocument, 'source' | 'sourceAtMs'> => ({
  source,
  ...(sourceAtMs === undefined ? {} : { sourceAtMs }),
})
