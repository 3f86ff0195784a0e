// What a drawing is made of, and how it becomes SVG text.
//   V1. The text is well-formed XML whatever stands in the flow: every text is escaped, and what XML cannot hold is left out.

export type Tone = 'plain' | 'people' | 'model' | 'work' | 'decision' | 'group' | 'danger' | 'end' | 'fail'

export type Shape =
  | {
      readonly shape: 'box'
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
      readonly tone: Tone
      readonly lines: readonly Line[]
      readonly title: string
      /** Cannot run in this version: a broken border. */
      readonly danger: boolean
      readonly people: boolean
    }
  | { readonly shape: 'pill'; readonly x: number; readonly y: number; readonly width: number; readonly text: string; readonly tone: Tone }
  | {
      readonly shape: 'line'
      readonly points: readonly (readonly [number, number])[]
      readonly dashed: boolean
      readonly arrow: boolean
    }
  | { readonly shape: 'label'; readonly x: number; readonly y: number; readonly lines: readonly string[]; readonly title: string }

export type Line = { readonly text: string; readonly weight: 'title' | 'detail' | 'note' }

export const LINE_HEIGHT = 16
export const PILL_HEIGHT = 24
export const BOX_PADDING = 8

/** About how wide a text is, in pixels; a little too much rather than too little. */
export const textWidth = (text: string, size = 12): number => Math.ceil(text.length * size * 0.58)

/** A text in lines of at most `columns` characters, broken at spaces; the last line of too many ends with an ellipsis. */
export const wrap = (text: string, columns: number, linesMax: number): readonly string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .split(' ')
    .flatMap((part) => part.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + word.length + 1 > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  if (lines.length <= linesMax) return lines
  return [...lines.slice(0, linesMax - 1), `${(lines[linesMax - 1] ?? '').slice(0, columns - 1)}…`]
}

const COLOURS: Readonly<Record<Tone, { readonly fill: string; readonly stroke: string }>> = {
  plain: { fill: '#ffffff', stroke: '#64748b' },
  people: { fill: '#fef3c7', stroke: '#b45309' },
  model: { fill: '#eef2ff', stroke: '#4f46e5' },
  work: { fill: '#ecfdf5', stroke: '#047857' },
  decision: { fill: '#f8fafc', stroke: '#475569' },
  group: { fill: '#f0f9ff', stroke: '#0369a1' },
  danger: { fill: '#fef2f2', stroke: '#b91c1c' },
  end: { fill: '#e2e8f0', stroke: '#475569' },
  fail: { fill: '#fee2e2', stroke: '#b91c1c' },
}

const STYLE =
  'text{font-family:ui-sans-serif,system-ui,Helvetica,Arial,sans-serif;font-size:12px;fill:#0f172a}.title{font-weight:600}.note{font-size:11px;fill:#475569}.label{font-size:11px;fill:#334155}'

/** The whole drawing. */
export const drawing = (options: { width: number; height: number; title: string; about: string; shapes: readonly Shape[] }): string => {
  const { width, height, title, about, shapes } = options
  // Lines lie below boxes, labels above lines.
  const order = ['line', 'box', 'pill', 'label'] as const
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title>`,
    `<desc>${escape(about)}</desc>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...order.flatMap((kind) => shapes.filter(({ shape }) => shape === kind).map(shapeText)),
    '</svg>',
    '',
  ].join('\n')
}

const shapeText = (shape: Shape): string => {
  switch (shape.shape) {
    case 'box':
      return boxText(shape)
    case 'pill': {
      const { fill, stroke } = COLOURS[shape.tone]
      return `<g><rect x="${shape.x}" y="${shape.y}" width="${shape.width}" height="${PILL_HEIGHT}" rx="12" fill="${fill}" stroke="${stroke}"/><text x="${shape.x + shape.width / 2}" y="${shape.y + 16}" text-anchor="middle">${escape(shape.text)}</text></g>`
    }
    case 'line': {
      const [first, ...rest] = shape.points
      const path = `M${first?.[0] ?? 0} ${first?.[1] ?? 0}${rest.map(([x, y]) => `L${x} ${y}`).join('')}`
      return `<path d="${path}" fill="none" stroke="#475569"${shape.dashed ? ' stroke-dasharray="5 4"' : ''}${shape.arrow ? ' marker-end="url(#arrow)"' : ''}/>`
    }
    case 'label': {
      const width = Math.max(...shape.lines.map((line) => textWidth(line, 11))) + 6
      const rows = shape.lines.map((line, row) => `<tspan x="${shape.x}" y="${shape.y + 12 + row * 14}">${escape(line)}</tspan>`).join('')
      return `<g><title>${escape(shape.title)}</title><rect x="${shape.x - width / 2}" y="${shape.y}" width="${width}" height="${shape.lines.length * 14 + 3}" fill="#ffffff"/><text class="label" text-anchor="middle">${rows}</text></g>`
    }
  }
}

const boxText = (box: Extract<Shape, { readonly shape: 'box' }>): string => {
  const { x, y, width, height, lines, title, danger, people } = box
  const { fill, stroke } = COLOURS[danger ? 'danger' : box.tone]
  const border = `stroke="${stroke}" stroke-width="${danger ? 2.5 : 1.2}"`
  const round = box.tone === 'decision' ? 2 : people ? 16 : 6
  const texts = lines.map(
    (line, row) =>
      `<tspan class="${line.weight}" x="${x + BOX_PADDING + 4}" y="${y + BOX_PADDING + 12 + row * LINE_HEIGHT}">${escape(line.text)}</tspan>`,
  )
  const person = `<g fill="none" stroke="${stroke}" stroke-width="1.4"><circle cx="${x + width - 18}" cy="${y + 13}" r="4"/><path d="M${x + width - 26} ${y + 28}c0 -12 16 -12 16 0"/></g>`
  return [
    `<g class="step"><title>${escape(title)}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${round}" fill="${fill}" ${border}/>`,
    people ? person : '',
    `<text>${texts.join('')}</text></g>`,
  ].join('')
}

/** What XML 1.0 allows; a lone half of a pair is not a character. */
const isAllowed = (code: number): boolean =>
  code === 0x9 || code === 0xa || code === 0xd || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000

/** Text that may stand in XML (V1). */
export const escape = (text: string): string =>
  Array.from(text, (character) => (isAllowed(character.codePointAt(0) ?? 0) ? character : ''))
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
