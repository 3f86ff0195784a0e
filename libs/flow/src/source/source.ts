/** A file of the input with its line index. */
export type Source = {
  readonly file: string
  readonly text: string
  /** Line and column of an offset, both from 1; offsets outside the text are clamped to it (D1). */
  position(offset: number): { readonly line: number; readonly column: number }
}

/** A piece of a source. */
export type Span = { readonly source: Source; readonly start: number; readonly end: number }

export const createSource = (file: string, text: string): Source => {
  const lineStarts = [0]
  for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) lineStarts.push(index + 1)
  return {
    file,
    text,
    position(offset) {
      const at = Math.max(0, Math.min(offset, text.length))
      let low = 0
      let high = lineStarts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((lineStarts[middle] ?? 0) <= at) low = middle
        else high = middle - 1
      }
      return { line: low + 1, column: at - (lineStarts[low] ?? 0) + 1 }
    },
  }
}

/** The whole of a source. */
export const wholeOf = (source: Source): Span => ({ source, start: 0, end: source.text.length })
