// Colour for terminals; pipes and files get plain text.

export type Paint = {
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly green: (text: string) => string
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
}

/** Colours where they are wanted and can be seen: a terminal, without NO_COLOR. */
export const openPaint = (options: { readonly terminal: boolean; readonly env?: Readonly<Record<string, string | undefined>> }): Paint => {
  const { terminal, env = {} } = options
  const on = terminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  const paint = (code: number) => (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { red: paint(31), yellow: paint(33), green: paint(32), bold: paint(1), dim: paint(2) }
}
