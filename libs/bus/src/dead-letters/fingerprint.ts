// What makes two dead letters the same trouble: the code of the fault, the shape of its message, and where in the code it came from.
//   P1. Ids, numbers, times and quoted texts do not matter, nor does the line of a frame: the same trouble keeps its fingerprint over
//       messages, runs, restarts and edits elsewhere in a file.
import { createHash } from 'node:crypto'
import type { FaultData } from '@baton/contracts/fault'

const FRAMES_COUNTED = 3
const SHAPE_CHARS_MAX = 300
const ID_CHARS_MIN = 8
const FINGERPRINT_CHARS = 16

/** A message with what differs from case to case replaced: `tool <text> answered <n>`. */
export const messageShape = (message: string): string =>
  message
    .slice(0, 4 * SHAPE_CHARS_MAX)
    .replace(/"[^"]*"|`[^`]*`|“[^”]*”|'[^'\s]{1,60}'/g, '<text>')
    .replace(/[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}/g, '<text>')
    .replace(/[\w-]+/g, (word) => (/\d/.test(word) ? idOrNumbers(word) : word))
    .replace(/<n>(?:[.:,/]<n>)+/g, '<n>')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, SHAPE_CHARS_MAX)

/** P1. */
export const fingerprintOf = (fault: FaultData | undefined, frames: readonly string[]): string => {
  const code = fault?.code ?? 'handler.failed'
  const places = frames.slice(0, FRAMES_COUNTED).map((frame) => frame.replace(/:\d+$/, ''))
  return createHash('sha256')
    .update([code, messageShape(fault?.message ?? ''), ...places].join('\n'))
    .digest('hex')
    .slice(0, FINGERPRINT_CHARS)
}

const idOrNumbers = (word: string): string => {
  if (/^\d+(?:ms|s|m|h|d)?$/.test(word)) return '<n>'
  return word.length >= ID_CHARS_MIN ? '<id>' : word.replace(/\d+/g, '<n>')
}
