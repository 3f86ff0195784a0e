// Names of tools as providers take them: letters, digits, underscore and dash, at most 64.
//   M1. Each name of one request has one name of its own there, and is found again by it.
const NAME_CHARS_MAX = 64

export type ToolNames = {
  /** The provider's name of a tool of this request. */
  readonly out: (name: string) => string
  /** The tool that a provider's name means; a name it made up is given back as it is. */
  readonly back: (sent: string) => string
}

const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, NAME_CHARS_MAX)

/** Names for one request: the tools that are offered first, then those that only the conversation speaks of. */
export const toolNames = (names: readonly string[]): ToolNames => {
  const sentOf = new Map<string, string>()
  const nameOf = new Map<string, string>()
  for (const name of names) {
    if (sentOf.has(name)) continue
    const wanted = plain(name)
    let sent = wanted
    for (let n = 2; nameOf.has(sent); n += 1) sent = `${wanted.slice(0, NAME_CHARS_MAX - 4)}_${n}` // M1
    sentOf.set(name, sent)
    nameOf.set(sent, name)
  }
  return { out: (name) => sentOf.get(name) ?? plain(name), back: (sent) => nameOf.get(sent) ?? sent }
}
