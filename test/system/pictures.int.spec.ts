// S4: the tools of flows/s04-images on drawn pictures: a detector and text extraction that run on this machine, and rules on files.
import { afterAll, describe, expect, it } from '@jest/globals'
import { sha256 } from '@baton/contracts'
import type { Tool, ToolContext } from '@baton/tools'
import { draw, type Picture } from '../../flows/s04-images/scripts/draw.mjs'
import { metadata, unsafe, words } from '../../flows/s04-images/tools/images.ts'
import { closeDetector } from '../../flows/s04-images/tools/pictures/detector.ts'
import { closeWords } from '../../flows/s04-images/tools/pictures/words.ts'
import { installed } from '../../flows/s04-images/tools/pictures/packages.ts'

const SEED = 4
const pictures = new Map(draw(SEED, { texts: 1, shapes: 1 }).map((picture) => [picture.name, picture]))

const pictureOf = (name: string): Picture => {
  const found = pictures.get(name)
  if (found === undefined) throw new Error(`no picture is called ${name}`)
  return found
}

/** What a tool is given of a platform on which these pictures were uploaded. */
const context = {
  tenant: 'default',
  signal: new AbortController().signal,
  stores: {
    payloads: {
      get: ({ sha256: ref }: { sha256: string }) => {
        const found = [...pictures.values()].find(({ bytes }) => sha256(bytes) === ref)
        return found === undefined
          ? Promise.reject(new Error('missing'))
          : Promise.resolve({ content: found.bytes, mediaType: found.mediaType })
      },
    },
  },
} as unknown as ToolContext // nothing else of it is looked at

const look = (tool: Tool, ...names: readonly string[]): Promise<unknown> => {
  const images = names.map(pictureOf).map(({ bytes, mediaType }) => ({ ref: sha256(bytes), mediaType, bytes: bytes.length }))
  return tool.run({ images }, context)
}

afterAll(async () => {
  await Promise.all([closeDetector(), closeWords()])
})

describe('S4: looks at pictures', () => {
  it('the same seed draws the same pictures', () => {
    expect(draw(SEED, { texts: 1, shapes: 1 }).map(({ bytes }) => sha256(bytes))).toEqual(
      [...pictures.values()].map(({ bytes }) => sha256(bytes)),
    )
  })

  it('words in pictures are read, and none where there are none', async () => {
    expect(await look(words, 'words-1', 'shapes-1')).toEqual({ text: pictureOf('words-1').words })
  }, 60_000)

  it('the detector scores the worst of the pictures, and says which it is', async () => {
    expect(await look(unsafe, 'words-1', 'taken-for-unsafe')).toEqual({
      score: expect.closeTo(0.987, 2),
      reason: expect.stringMatching(/^picture 2: /),
    })
  }, 120_000)

  it.each([
    ['wrong-type', 'picture 1: it says image/jpeg and is image/png'],
    ['truncated', 'picture 1: its file ends too early'],
    ['huge', 'picture 1: it is 12000 × 12000, too large'],
    ['located', 'picture 1: it says where it was taken'],
    ['noted', 'picture 1: forbidden words are written into its file'],
  ])('%s: %s', async (name, reason) => {
    expect(await look(metadata, name)).toMatchObject({ allowed: false, reason })
  })

  it('what is written into a file is told, and a file that is as it should be is allowed', async () => {
    expect(await look(metadata, 'located')).toMatchObject({ texts: ['My holiday'] })
    expect(await look(metadata, 'words-1')).toEqual({ allowed: true, texts: [] })
  })

  it.each(['truncated', 'huge'])('%s is unpacked by nobody', async (name) => {
    await expect(look(unsafe, name)).rejects.toMatchObject({ code: 'tool.arguments_invalid' })
    await expect(look(words, name)).rejects.toMatchObject({ code: 'tool.arguments_invalid' })
  })

  it('a package that is not there is named with the command that installs it', () => {
    expect(() => installed('The detector', { 'a-package-that-nobody-has': 'a-package-that-nobody-has@1' })).toThrow(
      'The detector needs packages that are not installed: npm install a-package-that-nobody-has@1',
    )
  })
})
