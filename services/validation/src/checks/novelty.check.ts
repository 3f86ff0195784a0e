// Is this unlike anything seen before? Then a person looks at it, however sure a model says it is.
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { noveltyOf, unpackNovelty } from '@baton/policy/novelty'
import type { Check, CheckResult } from './check.ts'
import { createFlowFiles } from './flow-files.ts'
import { parseInput, parseOptions } from './parse.ts'

const UNPACKED_BYTES_MAX = 64 * 1024 * 1024
const Options = z.strictObject({
  /** File of the model, in the folder of the flows. */
  model: z.string().min(1).max(500),
  /** A text newer than this does not pass: 0.98 is newer than 98 of 100 known ones. */
  max: z.number().min(0).max(1).default(0.98),
})
const Text = z.union([z.string(), z.looseObject({ text: z.string() }).transform(({ text }) => text)])

/** The check `novelty` over models in the folder of the flows. */
export const noveltyCheck = (flowsDir: string): Check => {
  const models = createFlowFiles(flowsDir, 'novelty', (bytes) => unpackNovelty(gunzipSync(bytes, { maxOutputLength: UNPACKED_BYTES_MAX })))
  return {
    name: 'novelty',
    evaluate: async (input, options): Promise<CheckResult> => {
      const { model: file, max } = parseOptions('novelty', Options, options)
      const text = parseInput('novelty', Text, input)
      const novelty = Math.round(noveltyOf(await models(file), text) * 1e4) / 1e4
      const pass = novelty <= max
      const reason = `newer than ${(100 * novelty).toFixed(1)} % of the texts known, ${pass ? 'at most' : 'above'} the ${(100 * max).toFixed(1)} % allowed`
      return { pass, score: Math.round((1 - novelty) * 1e4) / 1e4, reason, more: { novelty } }
    },
  }
}
