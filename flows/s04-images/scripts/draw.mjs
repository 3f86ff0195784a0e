// Draws pictures to try the flow with: words, plain shapes, and files that are not what they should be. The same seed draws the same pictures.
//   node flows/s04-images/scripts/draw.mjs --seed 4 --out /tmp/pictures
// Needs @napi-rs/canvas and a font of the machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crc32, deflateSync } from 'node:zlib'

const WORDS = ['harbour', 'ticket', 'morning', 'window', 'garden', 'number', 'silver', 'market', 'bridge', 'river', 'winter', 'letter']
const COLOURS = ['#1d3557', '#6a040f', '#1b4332', '#3c096c', '#212529']
const SHAPES = ['#e63946', '#457b9d', '#2a9d8f', '#e9c46a', '#8d99ae']

/** Numbers between 0 and 1 (mulberry32): the same for the same seed. */
const randomOf = (seed) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const chunk = (type, body) => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const out = Buffer.alloc(named.length + 8)
  out.writeUInt32BE(body.length, 0)
  named.copy(out, 4)
  out.writeUInt32BE(crc32(named), named.length + 4)
  return out
}

/** The PNG with a chunk more, behind its head. */
const withChunk = (png, type, body) => Buffer.concat([png.subarray(0, 33), chunk(type, body), png.subarray(33)])

/** A TIFF block, as EXIF has it, with a description and a pointer to a place. */
const exif = (description) => {
  const text = Buffer.from(`${description}\0`)
  const head = Buffer.alloc(8 + 2 + 24 + 4)
  head.write('II', 0, 'latin1')
  head.writeUInt16LE(42, 2)
  head.writeUInt32LE(8, 4)
  head.writeUInt16LE(2, 8)
  for (const [at, tag, type, count, value] of [
    [10, 0x010e, 2, text.length, head.length],
    [22, 0x8825, 4, 1, head.length + text.length],
  ]) {
    head.writeUInt16LE(tag, at)
    head.writeUInt16LE(type, at + 2)
    head.writeUInt32LE(count, at + 4)
    head.writeUInt32LE(value, at + 8)
  }
  return Buffer.concat([head, text, Buffer.alloc(6)])
}

/** A picture that is small as a file and huge when it is unpacked: one bit a pixel, all white. */
const huge = (side) => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const rows = Buffer.alloc((1 + Math.ceil(side / 8)) * side, 0xff)
  for (let at = 0; at < rows.length; at += 1 + Math.ceil(side / 8)) rows[at] = 0
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const SKIN = ['#f1c27d', '#e0ac69', '#ffdbac', '#f6c9a8', '#e8b298', '#d99a7c', '#c68642']
const GROUND = ['#ffc2d1', '#ffffff', '#e8b298', '#2b2d42', '#f6c9a8']
/** Ellipses in the colours of skin: nothing, but the detector is not sure of it. The seeds were chosen by what it says of them. */
const ellipses = (createCanvas, seed) => {
  const random = randomOf(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const canvas = createCanvas(224, 224)
  const context = canvas.getContext('2d')
  const lined = random() < 0.5
  context.fillStyle = pick(GROUND)
  context.fillRect(0, 0, 224, 224)
  for (let count = 6 + Math.floor(random() * 14); count > 0; count--) {
    const [x, y, wide, high, turn] = [random() * 224, random() * 224, 20 + random() * 80, 15 + random() * 60, random() * 6]
    const shade = context.createRadialGradient(x - wide / 3, y - high / 3, 2, x, y, wide)
    const colour = pick(SKIN)
    shade.addColorStop(0, '#ffe9dc')
    shade.addColorStop(0.5, colour)
    shade.addColorStop(1, pick(['#a86b4c', '#c98a6b', colour]))
    context.fillStyle = shade
    context.beginPath()
    context.ellipse(x, y, wide, high, turn, 0, 7)
    context.fill()
    if (!lined) continue
    context.strokeStyle = '#5b2e1e'
    context.lineWidth = 1 + random() * 2
    context.stroke()
  }
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    context.fillStyle = pick(['#b5535c', '#d4777f', '#7a3b3b'])
    context.beginPath()
    context.arc(random() * 224, random() * 224, 3 + random() * 10, 0, 7)
    context.fill()
  }
  return canvas
}

const openCanvas = () => {
  const { createCanvas, GlobalFonts } = createRequire(import.meta.url)('@napi-rs/canvas')
  const fonts = GlobalFonts.families.map(({ family }) => family)
  const font = ['DejaVu Sans', 'Liberation Sans', 'Arial', 'Helvetica'].find((name) => fonts.includes(name)) ?? fonts[0]
  if (font === undefined) throw new Error('this machine has no font to draw words with: install one, as fonts-dejavu-core')
  return { createCanvas, font }
}

/**
 * The pictures of a seed: `{ name, mediaType, bytes, words, rule, doubtful }`. `words` is what stands in it, `rule` what its file breaks: format, end,
 * size, place or text; undefined where it is as it should be. `doubtful` is what the detector makes of ellipses: block or review.
 */
export const draw = (seed, { texts = 4, shapes = 4 } = {}) => {
  const random = randomOf(seed)
  const { createCanvas, font } = openCanvas()
  const pick = (list) => list[Math.floor(random() * list.length)]
  const text = (lines) => {
    const canvas = createCanvas(640, 60 + 70 * lines.length)
    const context = canvas.getContext('2d')
    context.fillStyle = pick(['#ffffff', '#f8f9fa', '#fefae0'])
    context.fillRect(0, 0, canvas.width, canvas.height)
    context.fillStyle = pick(COLOURS)
    context.font = `${30 + Math.floor(random() * 12)}px "${font}"`
    for (const [at, line] of lines.entries()) context.fillText(line, 20 + Math.floor(random() * 40), 70 + 70 * at)
    return canvas
  }
  const plain = () => {
    const canvas = createCanvas(320, 240)
    const context = canvas.getContext('2d')
    context.fillStyle = pick(['#ffffff', '#e9ecef', '#caf0f8'])
    context.fillRect(0, 0, 320, 240)
    for (let count = 2 + Math.floor(random() * 3); count > 0; count--) {
      context.fillStyle = pick(SHAPES)
      const [x, y, size] = [40 + random() * 200, 40 + random() * 140, 30 + random() * 60]
      context.beginPath()
      if (random() < 0.5) context.rect(x, y, size, size)
      else context.arc(x, y, size / 2, 0, 2 * Math.PI)
      context.fill()
    }
    return canvas
  }
  const png = (canvas) => ({ mediaType: 'image/png', bytes: canvas.toBuffer('image/png') })
  const jpeg = (canvas) => ({ mediaType: 'image/jpeg', bytes: canvas.toBuffer('image/jpeg', 92) })
  const line = () => `${pick(WORDS)} ${pick(WORDS)} ${1_000 + Math.floor(random() * 9_000)}`
  const pictures = Array.from({ length: texts }, (_, at) => {
    const lines = [line(), line()]
    return { name: `words-${at + 1}`, words: lines.join('\n'), ...(at % 2 === 0 ? png : jpeg)(text(lines)) }
  })
  for (let at = 0; at < shapes; at++) pictures.push({ name: `shapes-${at + 1}`, words: '', ...(at % 2 === 0 ? png : jpeg)(plain()) })
  const whole = png(plain())
  return [
    ...pictures,
    { name: 'taken-for-unsafe', words: '', doubtful: 'block', ...png(ellipses(createCanvas, 7)) },
    { name: 'taken-for-doubtful', words: '', doubtful: 'review', ...png(ellipses(createCanvas, 9)) },
    { name: 'forbidden-words', words: 'FREE CASINO CHIPS', ...png(text(['FREE CASINO CHIPS'])) },
    { name: 'wrong-type', words: '', rule: 'format', ...whole, mediaType: 'image/jpeg' },
    { name: 'truncated', words: '', rule: 'end', ...whole, bytes: whole.bytes.subarray(0, Math.floor(whole.bytes.length * 0.6)) },
    { name: 'huge', words: '', rule: 'size', mediaType: 'image/png', bytes: huge(12_000) },
    { name: 'located', words: '', rule: 'place', ...whole, bytes: withChunk(whole.bytes, 'eXIf', exif('My holiday')) },
    {
      name: 'noted',
      words: '',
      rule: 'text',
      ...whole,
      bytes: withChunk(whole.bytes, 'tEXt', Buffer.from('Comment\0free casino chips at my place', 'latin1')),
    },
  ]
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '4' }, out: { type: 'string', default: 'pictures' } } })
  mkdirSync(values.out, { recursive: true })
  for (const { name, mediaType, bytes, rule } of draw(Number(values.seed))) {
    const file = join(values.out, `${name}.${mediaType.split('/')[1]}`)
    writeFileSync(file, bytes)
    process.stdout.write(`${file}: ${bytes.length} bytes${rule === undefined ? '' : `, its file breaks a rule (${rule})`}\n`)
  }
}
