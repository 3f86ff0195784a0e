// Bytes of a pipe as lines.
//   R1. A line is never longer than the limit: the reader refuses at the byte that would make it so, and keeps nothing.
/** Thrown for a line that is too long (R1). */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

export type LineReader = {
  /** The lines that this piece completes. */
  readonly take: (piece: Buffer) => readonly string[]
}

const NEWLINE = 10

/** A reader of lines of at most `bytesMax` bytes. */
export const createLineReader = (bytesMax: number): LineReader => {
  let pieces: Buffer[] = []
  let held = 0
  const hold = (piece: Buffer): void => {
    held += piece.length
    if (held > bytesMax) {
      pieces = []
      throw new LineTooLong(`a line is longer than ${bytesMax} bytes`) // R1
    }
    pieces.push(piece)
  }
  const taken = (): string => {
    const line = (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))?.toString('utf8') ?? ''
    pieces = []
    held = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
  return {
    take: (piece) => {
      const lines: string[] = []
      let from = 0
      for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, from)) {
        hold(piece.subarray(from, at))
        lines.push(taken())
        from = at + 1
      }
      if (from < piece.length) hold(piece.subarray(from))
      return lines
    },
  }
}
