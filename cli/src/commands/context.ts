import type { Terminal } from '../terminal.ts'

/** What every command is given. */
export type CommandContext = {
  readonly terminal: Terminal
  /** The command ran, and its answer is no: exit 1. */
  readonly fail: () => void
}

/** Prints data as JSON for programs or as text for people. */
export const show = (context: CommandContext, data: unknown, options: { json?: boolean; text: () => string }): void =>
  context.terminal.print(options.json === true ? JSON.stringify(data, null, 2) : options.text())

/** Query string of the fields that are set. */
export const query = (fields: Readonly<Record<string, string | number | undefined>>): string => {
  const set = Object.entries(fields).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, String(value)]]))
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`
}
