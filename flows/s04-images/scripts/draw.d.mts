/** A drawn picture: what stands in it, and what is wrong with its file or doubtful to the detector. */
export type Picture = {
  readonly name: string
  readonly mediaType: string
  readonly bytes: Buffer
  readonly words: string
  readonly rule?: 'format' | 'end' | 'size' | 'place' | 'text'
  readonly doubtful?: 'block' | 'review'
}

/** The pictures of a seed. */
export const draw: (seed: number, counts?: { readonly texts?: number; readonly shapes?: number }) => readonly Picture[]
