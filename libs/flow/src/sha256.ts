// SHA-256 as FIPS 180-4 has it. Node's own comes with all of its cryptography, and loading that is a tenth of a first run in memory;
// a plan is hashed once, when it is made.
//   H1. It is the hash that `node:crypto` gives.

const words = (text: string): Uint32Array => Uint32Array.from(text.split(' '), (word) => Number.parseInt(word, 16))

const START = words('6a09e667 bb67ae85 3c6ef372 a54ff53a 510e527f 9b05688c 1f83d9ab 5be0cd19')
const ROUNDS = words(
  '428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5 d807aa98 12835b01 243185be 550c7dc3 72be5d74 80deb1fe ' +
    '9bdc06a7 c19bf174 e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da 983e5152 a831c66d b00327c8 bf597fc7 ' +
    'c6e00bf3 d5a79147 06ca6351 14292967 27b70a85 2e1b2138 4d2c6dfc 53380d13 650a7354 766a0abb 81c2c92e 92722c85 a2bfe8a1 a81a664b ' +
    'c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070 19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3 ' +
    '748f82ee 78a5636f 84c87814 8cc70208 90befffa a4506ceb bef9a3f7 c67178f2',
)
const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

/** SHA-256 of a text in UTF-8, in hex. */
export const sha256 = (text: string): string => {
  const view = padded(new TextEncoder().encode(text))
  const state = START.slice()
  const schedule = new Uint32Array(ROUNDS.length)
  for (let offset = 0; offset < view.byteLength; offset += BLOCK_BYTES) {
    expand(schedule, view, offset)
    mix(state, schedule)
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('')
}

/** The bytes, a one, zeros, and the number of bits, in whole blocks. */
const padded = (bytes: Uint8Array): DataView => {
  const blocks = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / BLOCK_BYTES)
  const all = new Uint8Array(blocks * BLOCK_BYTES)
  all.set(bytes)
  all[bytes.length] = 0x80
  const view = new DataView(all.buffer)
  view.setBigUint64(all.length - LENGTH_BYTES, BigInt(bytes.length) * 8n)
  return view
}

const wordAt = (from: Uint32Array, n: number): number => from[n] ?? 0
const turned = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

/** The words of a block, and those that are made of them. */
const expand = (schedule: Uint32Array, view: DataView, offset: number): void => {
  for (let n = 0; n < 16; n += 1) schedule[n] = view.getUint32(offset + n * 4)
  for (let n = 16; n < schedule.length; n += 1) {
    const a = wordAt(schedule, n - 15)
    const b = wordAt(schedule, n - 2)
    const sums = (turned(a, 7) ^ turned(a, 18) ^ (a >>> 3)) + (turned(b, 17) ^ turned(b, 19) ^ (b >>> 10))
    schedule[n] = sums + wordAt(schedule, n - 16) + wordAt(schedule, n - 7)
  }
}

const mix = (state: Uint32Array, schedule: Uint32Array): void => {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let n = 0; n < schedule.length; n += 1) {
    const sums = (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g))
    const first = (h + sums + wordAt(ROUNDS, n) + wordAt(schedule, n)) | 0
    const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  for (const [n, word] of [a, b, c, d, e, f, g, h].entries()) state[n] = wordAt(state, n) + word
}
