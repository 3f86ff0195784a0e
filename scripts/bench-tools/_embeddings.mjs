// Vectors of a model, kept in a file between runs.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Vectors of texts are kept between runs: they are the same, and most of the time goes into them. */
export const keeping = (embedder, file) => {
  const known = existsSync(file) ? new Map(JSON.parse(readFileSync(file, 'utf8'))) : new Map()
  const keyOf = (text) => createHash('sha256').update(text).digest('base64url').slice(0, 22)
  return {
    ...embedder,
    embed: async (texts, options) => {
      const missing = [...new Set(texts.filter((text) => !known.has(keyOf(text))))]
      const made = await embedder.embed(missing, options)
      for (const [at, text] of missing.entries())
        known.set(
          keyOf(text),
          Array.from(made[at], (value) => Number(value.toPrecision(6))),
        )
      return texts.map((text) => Float32Array.from(known.get(keyOf(text))))
    },
    save: () => {
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(file, JSON.stringify([...known]))
    },
  }
}
