// The file of a judge: what it learned, its calibration, and what is known of how it was made.
import { Fault } from '@baton/contracts/fault'
import type { Json, JsonObject } from '@baton/contracts/json'
import { readCalibrator } from '../calibration/calibration.policy.ts'
import { fieldsOf, readTextModel, textModelJson } from '../router/text-model-file.ts'
import type { Judge } from './judge.policy.ts'

const FORMAT = 'baton.judge'
const plain = (value: object): Json => value as Json // Strings, numbers and lists of them.

/** The judge as JSON; `about` says how it was trained and which threshold was chosen. */
export const judgeJson = ({ answer, next, calibrator }: Judge, about: JsonObject): JsonObject => ({
  format: FORMAT,
  about,
  calibrator: plain(calibrator),
  answer: plain(textModelJson(answer)),
  ...(next === undefined ? {} : { next: plain(textModelJson(next)) }),
})

/** Reads a judge from parsed JSON. Throws `config.invalid` for anything else. */
export const loadJudge = (json: unknown): Judge => {
  const fields = fieldsOf(json, 'the file')
  if (fields['format'] !== FORMAT) throw new Fault('config.invalid', `The file is not a judge: its format is not ${FORMAT}.`)
  const judge = { answer: readTextModel(fields['answer']), calibrator: readCalibrator(fields['calibrator']) }
  return fields['next'] === undefined ? judge : { ...judge, next: readTextModel(fields['next']) }
}
