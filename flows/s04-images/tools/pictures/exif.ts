// The parts of EXIF that a moderator needs: what somebody wrote into the file, and whether it says where the picture was taken.
const DESCRIPTION = 0x01_0e
const ARTIST = 0x01_3b
const COPYRIGHT = 0x82_98
const GPS = 0x88_25
const TEXT_TAGS = [DESCRIPTION, ARTIST, COPYRIGHT]
const ASCII = 2
const ENTRIES_MAX = 200

export type Exif = { readonly texts: readonly string[]; readonly located: boolean }
const NOTHING: Exif = { texts: [], located: false }

/** Reads the first directory of a TIFF block. What is broken says nothing. */
export const exifOf = (tiff: Buffer): Exif => {
  const order = tiff.toString('latin1', 0, 2)
  if (tiff.length < 14 || (order !== 'II' && order !== 'MM')) return NOTHING
  const u16 = (at: number): number => (order === 'II' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const u32 = (at: number): number => (order === 'II' ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at))
  try {
    const start = u32(4)
    const count = Math.min(u16(start), ENTRIES_MAX)
    const entries = Array.from({ length: count }, (_, index) => start + 2 + 12 * index)
    const texts = entries.flatMap((at) => {
      if (!TEXT_TAGS.includes(u16(at)) || u16(at + 2) !== ASCII) return []
      const length = u32(at + 4)
      const from = length <= 4 ? at + 8 : u32(at + 8)
      return [tiff.toString('utf8', from, from + length)]
    })
    return { texts, located: entries.some((at) => u16(at) === GPS) }
  } catch {
    return NOTHING
  }
}
