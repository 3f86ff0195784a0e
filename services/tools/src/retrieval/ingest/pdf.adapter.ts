// PDF: the text of its pages, a heading for each; pages that are pictures are read by OCR where that is installed.
//   P1. A page without text is never left out in silence: without OCR the file is refused, saying what to install.
import { extractImages, extractText, getDocumentProxy, getMeta } from 'unpdf'
import { Fault } from '@baton/contracts'
import { openOcr, pngOf, type Ocr } from './ocr.adapter.ts'
import { placeOf, type SourceDocument, type SourceFile } from './source-document.ts'

/** Fewer characters on a page are no text: a page number, a stamp. */
const PAGE_CHARS_MIN = 12
type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>

const recognise = async (pdf: Pdf, page: number, ocr: Ocr): Promise<string> => {
  const images = await extractImages(pdf, page)
  const texts: string[] = []
  for (const image of images) texts.push(await ocr.read(pngOf(image)))
  return texts.join('\n').trim()
}

const titleOf = async (pdf: Pdf): Promise<string | undefined> => {
  const { info } = await getMeta(pdf)
  const title: unknown = Reflect.get(info, 'Title')
  return typeof title === 'string' && title.trim() !== '' ? title.trim() : undefined
}

const open = async (file: SourceFile): Promise<Pdf> => {
  try {
    return await getDocumentProxy(new Uint8Array(file.bytes), { verbosity: 0 })
  } catch (error) {
    throw new Fault('request.malformed', `${file.source}: ${error instanceof Error ? error.message : 'not a PDF'}`)
  }
}

/** One document. */
export const readPdf = async (file: SourceFile): Promise<readonly SourceDocument[]> => {
  const pdf = await open(file)
  let ocr: Ocr | undefined
  try {
    const { text } = await extractText(pdf, { mergePages: false })
    const pages: string[] = []
    for (const [at, found] of text.entries()) {
      if (found.trim().length >= PAGE_CHARS_MIN) pages.push(found.trim())
      else if ((await extractImages(pdf, at + 1)).length === 0) pages.push(found.trim())
      else {
        ocr ??= await openOcr(`${file.source}, page ${at + 1}`) // P1
        pages.push(await recognise(pdf, at + 1, ocr))
      }
    }
    const body = pages.map((page, at) => (pages.length === 1 ? page : `# Page ${at + 1}\n\n${page}`)).join('\n\n')
    return [{ id: file.id, title: (await titleOf(pdf)) ?? file.id, text: body, meta: { pages: pages.length }, ...placeOf(file) }]
  } finally {
    await ocr?.close()
    await pdf.loadingTask.destroy()
  }
}
