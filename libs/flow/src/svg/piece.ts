// Pieces of a drawing that are put below and beside each other. A line enters a piece at its top and leaves it at its
// bottom, both at `center`.
import { PILL_HEIGHT, textWidth, wrap, type Shape, type Tone } from './shapes.ts'

export type Piece = {
  readonly width: number
  readonly height: number
  readonly center: number
  /** Whether something goes on below it. */
  readonly goesOn: boolean
  /** Whether it begins at the lower edge of what stands above it. */
  readonly attached?: boolean
  readonly shapes: readonly Shape[]
}

/** One way on: a label, and what stands there. */
export type Column = { readonly label: string; readonly title: string; readonly dashed: boolean; readonly piece: Piece }

const GAP_X = 24
const GAP_Y = 26
const LABEL_COLUMNS = 30

/** Nothing: a line that goes straight through. */
export const EMPTY: Piece = { width: 0, height: 0, center: 0, goesOn: true, shapes: [] }

/** A small round end. */
export const pill = (text: string, tone: Tone, goesOn = false): Piece => {
  const width = textWidth(text) + 24
  return { width, height: PILL_HEIGHT, center: width / 2, goesOn, shapes: [{ shape: 'pill', x: 0, y: 0, width, text, tone }] }
}

/** A piece moved to the right and down. */
export const moved = (piece: Piece, dx: number, dy: number): readonly Shape[] =>
  piece.shapes.map((shape) =>
    shape.shape === 'line'
      ? { ...shape, points: shape.points.map(([x, y]) => [x + dx, y + dy] as const) }
      : { ...shape, x: shape.x + dx, y: shape.y + dy },
  )

/** Pieces below each other, joined by arrows where something goes on. */
export const stack = (pieces: readonly Piece[]): Piece => {
  const center = Math.max(0, ...pieces.map((piece) => piece.center))
  const right = Math.max(0, ...pieces.map((piece) => piece.width - piece.center))
  const shapes: Shape[] = []
  let y = 0
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1]
    if (before !== undefined && piece.attached !== true) {
      if (before.goesOn)
        shapes.push({
          shape: 'line',
          points: [
            [center, y],
            [center, y + GAP_Y],
          ],
          dashed: false,
          arrow: piece.height > 0,
        })
      y += GAP_Y
    }
    shapes.push(...moved(piece, center - piece.center, y))
    y += piece.height
  }
  return { width: center + right, height: y, center, goesOn: pieces.at(-1)?.goesOn ?? true, shapes }
}

/** Ways side by side: they part above, and those that go on meet below. */
export const fork = (columns: readonly Column[]): Piece => {
  const labels = columns.map(({ label }) => wrap(label, LABEL_COLUMNS, 2))
  const rows = Math.max(0, ...labels.map((lines) => lines.length))
  const top = 14
  const bodyTop = top + 10 + rows * 14 + 12
  const bodyHeight = Math.max(0, ...columns.map(({ piece }) => piece.height))
  const bottom = bodyTop + bodyHeight + 14
  const placed = placeColumns(columns, labels)
  const width = Math.max(0, ...placed.map(({ right }) => right))
  const center = middleOf(placed.map(({ x }) => x))
  const goesOn = columns.some(({ piece }) => piece.goesOn)
  const shapes: Shape[] = []
  for (const [index, { piece, dashed, title }] of columns.entries()) {
    const x = placed[index]?.x ?? 0
    const lines = labels[index] ?? []
    const into = piece.height === 0 ? bottom : bodyTop
    shapes.push({
      shape: 'line',
      points: [
        [center, 0],
        [center, top],
        [x, top],
        [x, into],
      ],
      dashed,
      arrow: piece.height > 0,
    })
    if (lines.length > 0) shapes.push({ shape: 'label', x, y: top + 8 + (rows - lines.length) * 7, lines, title })
    shapes.push(...moved(piece, x - piece.center, bodyTop))
    if (!piece.goesOn) continue
    const from = piece.height === 0 ? bottom : bodyTop + piece.height
    shapes.push({
      shape: 'line',
      points: [
        [x, from],
        [x, bottom],
        [center, bottom],
      ],
      dashed,
      arrow: false,
    })
  }
  return { width, height: goesOn ? bottom : bodyTop + bodyHeight, center, goesOn, attached: true, shapes }
}

const middleOf = (xs: readonly number[]): number => (xs.length === 0 ? 0 : ((xs[0] ?? 0) + (xs.at(-1) ?? 0)) / 2)

const placeColumns = (
  columns: readonly Column[],
  labels: readonly (readonly string[])[],
): readonly { readonly x: number; readonly right: number }[] => {
  let left = 0
  return columns.map(({ piece }, index) => {
    const half = Math.max(24, ...(labels[index] ?? []).map((line) => textWidth(line, 11) / 2 + 5))
    const x = left + Math.max(piece.center, half)
    const right = x + Math.max(piece.width - piece.center, half)
    left = right + GAP_X
    return { x: Math.round(x), right: Math.round(right) }
  })
}
