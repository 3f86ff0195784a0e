import { isatty } from 'node:tty'

/** Where a command prints: results to standard output, everything else to standard error. */
export type Terminal = {
  readonly interactive: boolean
  /** Whether results go to a terminal that shows colours. */
  readonly colours?: boolean
  /** A result, as a line. */
  print(text: string): void
  /** Progress and remarks. */
  note(text: string): void
  /** Overwrites the last status line; without a terminal, prints it at most every five seconds. */
  status(text: string): void
  /** Ends the status line. */
  settle(): void
}

const QUIET_STATUS_MS = 5_000

export const openTerminal = (): Terminal => {
  const interactive = isatty(2)
  let open = false
  let lastMs = 0
  const settle = (): void => {
    if (open) process.stderr.write('\n')
    open = false
  }
  return {
    interactive,
    colours: isatty(1),
    print: (text) => {
      settle()
      process.stdout.write(`${text}\n`)
    },
    note: (text) => {
      settle()
      process.stderr.write(`${text}\n`)
    },
    status: (text) => {
      if (interactive) {
        process.stderr.write(`\r\u001b[2K${text}`)
        open = true
      } else if (performance.now() - lastMs > QUIET_STATUS_MS) {
        lastMs = performance.now()
        process.stderr.write(`${text}\n`)
      }
    },
    settle,
  }
}

/** A bar of `width` cells for a share between 0 and 1. */
export const bar = (share: number, width = 24): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`
}
