// How sure is an answer, of what is known about it: one number, fitted on the outcomes of a route where there is a file of that.
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import { confidenceOf, SIGNALS, signalsOf, type Evidence, type RouteConfidence } from '@baton/policy/confidence'
import { readCalibrator } from '@baton/policy/calibration'
import type { Check, CheckResult } from './check.ts'
import { createFlowFiles } from './flow-files.ts'
import { parseInput, parseOptions } from './parse.ts'

const Options = z.strictObject({
  min: z.number().min(0).max(1).default(0.8),
  /** JSON file of what was learned for the route, in the folder of the flows. */
  fit: z.string().min(1).max(500).optional(),
})
const Input = z.strictObject({
  self: z.number().optional(),
  tokenLogProbs: z.array(z.number()).max(100_000).optional(),
  samples: z.array(z.json()).min(1).max(100).optional(),
  validators: z.strictObject({ passed: z.number().int().nonnegative(), of: z.number().int().nonnegative() }).optional(),
  classifier: z.number().optional(),
  mended: z.boolean().optional(),
})
const Weights = z.partialRecord(z.enum(SIGNALS), z.number())
const Fit = z.object({ weights: Weights, means: Weights, intercept: z.number(), calibrator: z.unknown(), rows: z.number() })

const readFit = (bytes: Buffer): RouteConfidence => {
  try {
    const { calibrator, ...fit } = Fit.parse(JSON.parse(bytes.toString()))
    return { ...fit, calibrator: readCalibrator(calibrator) } as RouteConfidence // absent and undefined are one to who reads it
  } catch (error) {
    throw new Fault('config.invalid', 'The fit of confidence cannot be read.', {}, { cause: error })
  }
}

/** The check `confidence` over fits in the folder of the flows. */
export const confidenceCheck = (flowsDir: string): Check => {
  const fits = createFlowFiles(flowsDir, 'confidence', readFit)
  return {
    name: 'confidence',
    evaluate: async (input, options): Promise<CheckResult> => {
      const { min, fit } = parseOptions('confidence', Options, options)
      const evidence = parseInput('confidence', Input, input) as Evidence // absent and undefined are one to who reads it
      const signals = signalsOf(evidence)
      const confidence = confidenceOf(signals, fit === undefined ? undefined : await fits(fit))
      if (confidence === undefined) return { pass: false, score: 0, reason: 'nothing is known of how sure the answer is' }
      const score = Math.round(confidence * 1e4) / 1e4
      const pass = score >= min
      const reason = `the confidence is ${score.toFixed(2)}, ${pass ? 'at least' : 'below'} the ${min.toFixed(2)} asked for`
      return { pass, score, reason, more: { confidence: score, signals: { ...signals }, fitted: fit !== undefined } }
    },
  }
}
