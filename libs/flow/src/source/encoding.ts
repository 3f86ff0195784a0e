// Files are UTF-8. Readers decode what they find; what was not UTF-8 shows in the text, and is told before it does harm elsewhere.
import type { Report } from '../diagnostic.ts'
import type { Source } from './source.ts'

const NUL = '\u0000'
/** What a decoder of UTF-8 puts where there was none. */
const REPLACEMENT = '\uFFFD'
// Half of a pair of UTF-16 on its own; a text of JSON over HTTP can hold it.
const HALF_PAIR = /\p{Surrogate}/u
/** How much of a file is looked at to see that every second byte is zero. */
const SAMPLE = 200

/** Reports a text that was not UTF-8 and says so. */
export const reportEncoding = (source: Source, report: Report): boolean => {
  const { text } = source
  const places = [text.indexOf(NUL), text.indexOf(REPLACEMENT), text.search(HALF_PAIR)].filter((place) => place !== -1)
  const first = Math.min(...places)
  if (places.length === 0) return false
  const sample = text.slice(0, SAMPLE)
  const message =
    sample.split(NUL).length > sample.length / 4
      ? 'the file is not UTF-8 but looks like UTF-16'
      : text[first] === NUL
        ? 'the file holds a NUL character; it is no text'
        : 'the file is not UTF-8 here; Latin-1 and Windows encodings look like this'
  report.add({ source, start: first, end: first + 1 }, 'file.encoding', message, 'save the file as UTF-8')
  return true
}
