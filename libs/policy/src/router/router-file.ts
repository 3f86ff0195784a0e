// The file of a learned router: the model and what is known of how it was made.
import { Fault } from '@baton/contracts/fault'
import type { Json, JsonObject } from '@baton/contracts/json'
import type { RouterModel } from './router.policy.ts'
import { fieldsOf, readTextModel, textModelJson } from './text-model-file.ts'

const FORMAT = 'baton.router'

/** The router as JSON; `about` says how it was trained and what it is worth. */
export const routerJson = (model: RouterModel, about: JsonObject): JsonObject => ({
  format: FORMAT,
  about,
  model: textModelJson(model) as unknown as Json, // Plain strings and numbers.
})

/** Reads a router from parsed JSON. Throws `config.invalid` for anything else. */
export const loadRouterModel = (json: unknown): RouterModel => {
  const fields = fieldsOf(json, 'the file')
  if (fields['format'] !== FORMAT) throw new Fault('config.invalid', `The file is not a router: its format is not ${FORMAT}.`)
  return readTextModel(fields['model'])
}
