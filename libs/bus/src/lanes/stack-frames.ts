// Where in the code something failed, short enough for a header and without anything of the machine it ran on.
import { basename } from 'node:path'

const FRAMES_MAX = 5
const FRAME_CHARS_MAX = 160
const CAUSES_MAX = 5
const OURS = /\/((?:services|libs|cli|examples)\/[^?]+)$/
const MODULE = /\/node_modules\/((?:@[^/]+\/)?[^/]+\/[^?]+)$/
const LINE = /^\s*at (?:(?:async )?(.*?) \()?(.*?)(?::(\d+))?(?::\d+)?\)?$/
/** How faults are made, which says nothing about where they come from. */
const MAKERS = new Set(['toFault', 'new Fault', 'failed', 'malformed'])

/** Frames of the error at the bottom of it, innermost first: `decode libs/contracts/src/envelope.ts:62`. Empty for what is no error. */
export const stackFrames = (thrown: unknown): readonly string[] => {
  const frames = (rootOf(thrown)?.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .flatMap(frameOf)
  const own = frames.filter(({ foreign }) => !foreign)
  return (own.length > 0 ? own : frames).slice(0, FRAMES_MAX).map(({ text }) => text)
}

const rootOf = (thrown: unknown): Error | undefined => {
  let error = thrown instanceof Error ? thrown : undefined
  for (let depth = 0; depth < CAUSES_MAX && error?.cause instanceof Error; depth++) error = error.cause
  return error
}

const frameOf = (line: string): readonly { readonly text: string; readonly foreign: boolean }[] => {
  const [, name = '', file = '', row] = LINE.exec(line) ?? []
  if (file === '' || file.startsWith('node:') || MAKERS.has(name)) return []
  const path = decodeURI(file.replace(/^file:\/\//, '')).replaceAll('\\', '/')
  const module = MODULE.exec(path)?.[1]
  const where = module ?? OURS.exec(path)?.[1] ?? basename(path)
  const text = `${name} ${where.replace('/dist/', '/src/').replace(/\.js$/, '.ts')}${row === undefined ? '' : `:${row}`}`.trim()
  return [{ text: text.slice(0, FRAME_CHARS_MAX), foreign: module !== undefined }]
}
