// Words in pictures, by tesseract.js, which computes in a thread of its own.
//   T1. Loaded at the first picture and kept; a look whose time is over ends it, and the next one loads it again.
import { openOcr, type Ocr } from '@baton/tools'

let opening: Promise<Ocr> | undefined

const open = (): Promise<Ocr> => {
  opening ??= openOcr('It').catch((error: unknown) => {
    opening = undefined // Installed meanwhile, perhaps.
    throw error
  })
  return opening
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('it was stopped')), { once: true }))

/** The words of all pictures, in their order. */
export const wordsIn = async (pictures: readonly Buffer[], signal: AbortSignal): Promise<string> => {
  signal.throwIfAborted()
  const mine = open()
  const ocr = await mine
  const read = async (): Promise<string> => {
    const texts: string[] = []
    for (const picture of pictures) texts.push(await ocr.read(picture))
    return texts.filter((text) => text !== '').join('\n')
  }
  try {
    return await Promise.race([read(), aborted(signal)])
  } finally {
    if (signal.aborted && opening === mine) {
      opening = undefined // T1
      await ocr.close()
    }
  }
}

/** Ends the reader; the next picture starts another. */
export const closeWords = async (): Promise<void> => {
  const mine = opening
  opening = undefined
  await (await mine)?.close()
}
