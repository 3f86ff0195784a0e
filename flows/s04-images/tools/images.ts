// Three looks at pictures, all on this machine: what they show, what stands in them, and what their files say of themselves.
import { Fault } from '@baton/contracts/fault'
import { defineTool, mediaOf, type MediaBytes, type ToolContext } from '@baton/tools'
import { z } from 'zod'
import { unsafeScores } from './pictures/detector.ts'
import { headerOf, type Header } from './pictures/header.ts'
import { brokenRule, MEGAPIXELS_MAX } from './pictures/rules.ts'
import { wordsIn } from './pictures/words.ts'

const PICTURES_MAX = 10
const Image = z.object({ ref: z.string(), mediaType: z.string().optional(), bytes: z.number().optional() })
const Images = z.strictObject({ images: z.array(Image).min(1).max(PICTURES_MAX) })

const filesOf = (images: readonly z.output<typeof Image>[], context: ToolContext): Promise<readonly MediaBytes[]> =>
  Promise.all(images.map((image) => mediaOf(image, context)))

/** The header of a picture that may be unpacked: a small file can be a huge picture. Throws `tool.arguments_invalid` for any other. */
const checkedHeader = ({ bytes }: MediaBytes, at: number): Header => {
  const header = headerOf(bytes)
  if (header === undefined || !header.whole)
    throw new Fault('tool.arguments_invalid', `picture ${at + 1} cannot be read`, { field: `images[${at}]` })
  if (header.width * header.height > MEGAPIXELS_MAX * 1_000_000)
    throw new Fault('tool.arguments_invalid', `picture ${at + 1} has more than ${MEGAPIXELS_MAX} megapixels`, { field: `images[${at}]` })
  return header
}

const readable = async (images: readonly z.output<typeof Image>[], context: ToolContext): Promise<readonly Buffer[]> => {
  const files = await filesOf(images, context)
  for (const [at, file] of files.entries()) checkedHeader(file, at)
  return files.map(({ bytes }) => bytes)
}

/** How surely the worst of the pictures is one that must not be shown. */
export const unsafe = defineTool({
  name: 'images/unsafe',
  about: 'Scores how surely one of the pictures must not be shown.',
  effect: 'read',
  input: Images,
  output: z.object({ score: z.number(), reason: z.string() }),
  timeoutMs: 30_000,
  run: async ({ images }, context) => {
    const scores = await unsafeScores(await readable(images, context), context.signal)
    const worst = scores.map((one, at) => ({ ...one, at })).toSorted((left, right) => right.score - left.score)[0]
    if (worst === undefined) throw new Error('the detector gave nothing')
    return { score: worst.score, reason: `picture ${worst.at + 1}: ${worst.label} ${worst.probability.toFixed(2)}` }
  },
})

/** Words that stand in the pictures. Strangers wrote them. */
export const words = defineTool({
  name: 'images/words',
  about: 'Reads the words in pictures.',
  effect: 'read',
  outside: true,
  input: Images,
  output: z.object({ text: z.string() }),
  timeoutMs: 30_000,
  run: async ({ images }, context) => ({ text: await wordsIn(await readable(images, context), context.signal) }),
})

/** Whether the files are what they claim to be, of a size that can be shown, and keep nothing that should not leave with them. */
export const metadata = defineTool({
  name: 'images/metadata',
  about: 'Looks at format, size and what is written into the files of pictures.',
  effect: 'read',
  outside: true,
  input: Images,
  output: z.object({ allowed: z.boolean(), reason: z.string().optional(), texts: z.array(z.string()) }),
  timeoutMs: 2_000,
  run: async ({ images }, context) => {
    const files = (await filesOf(images, context)).map((file) => ({ ...file, header: headerOf(file.bytes) }))
    const broken = files.flatMap((file, at) => {
      const rule = brokenRule(file)
      return rule === undefined ? [] : [`picture ${at + 1}: ${rule}`]
    })
    const texts = files.flatMap(({ header }) => header?.texts ?? [])
    return { allowed: broken.length === 0, ...(broken.length === 0 ? {} : { reason: broken.join('; ') }), texts }
  },
})
