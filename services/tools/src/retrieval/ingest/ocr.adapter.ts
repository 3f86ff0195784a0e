// Text in pictures, through tesseract.js and its English data. Neither is a dependency of Baton: where they are installed, they are used.
//   O1. Nothing is downloaded: the data are read from their package.
//   O2. A picture that cannot be read is a fault of its own; without a handler the library throws where nobody can catch it.
//   O3. Between two pictures its thread keeps no process alive: a service that was told to end has to end.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'
import { Fault } from '@baton/contracts'

export type Ocr = { readonly read: (image: Buffer) => Promise<string>; readonly close: () => Promise<void> }

type Worker = {
  readonly worker: { ref(): void; unref(): void }
  recognize(image: Buffer): Promise<{ data: { text: string } }>
  terminate(): Promise<unknown>
}
type LoadOptions = {
  readonly langPath: string
  readonly gzip: boolean
  readonly cacheMethod: string
  readonly errorHandler: (error: unknown) => void
}
type Library = {
  createWorker(language: string, engine: number, options: LoadOptions): Promise<Worker>
}

const found = (name: string): string | undefined => {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(from).resolve(name)
    } catch {
      continue
    }
  }
  return undefined
}

/** Opens it for English. Throws `request.malformed` saying what to install, for what. */
export const openOcr = async (what: string): Promise<Ocr> => {
  const library = found('tesseract.js')
  const data = found('@tesseract.js-data/eng/package.json')
  if (library === undefined || data === undefined)
    throw new Fault(
      'request.malformed',
      `${what} is a picture; reading it needs two packages: npm install tesseract.js@7 @tesseract.js-data/eng`,
      { package: 'tesseract.js' },
    )
  const loaded = (await import(pathToFileURL(library).href)) as Library & { default?: Library } // As its documentation has it.
  const worker = await (loaded.default ?? loaded).createWorker('eng', 1, {
    langPath: join(dirname(data), '4.0.0_best_int'),
    gzip: true,
    cacheMethod: 'none',
    errorHandler: () => undefined, // O2
  }) // O1
  worker.worker.unref() // O3
  return {
    read: async (image) => {
      worker.worker.ref()
      try {
        return (await worker.recognize(image)).data.text.trim()
      } catch (error) {
        throw new Fault('request.malformed', 'the picture cannot be read', {}, { cause: error }) // O2
      } finally {
        worker.worker.unref() // O3
      }
    },
    close: async () => void (await worker.terminate()),
  }
}

const chunk = (type: string, body: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const out = Buffer.alloc(named.length + 8)
  out.writeUInt32BE(body.length, 0)
  named.copy(out, 4)
  out.writeUInt32BE(crc32(named), named.length + 4)
  return out
}

/** Pixels as a PNG file. */
export const pngOf = ({
  data,
  width,
  height,
  channels,
}: {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
}): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, channels === 1 ? 0 : channels === 3 ? 2 : 6, 0, 0, 0], 8)
  const row = width * channels
  const raw = Buffer.alloc((row + 1) * height)
  for (let y = 0; y < height; y++) raw.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
