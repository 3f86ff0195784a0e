import { unpackHarm } from './harm-file.ts'
import { HARM_MODEL } from './harm-model.data.ts'
import type { HarmModel } from './harm-model.policy.ts'

let read: HarmModel | undefined

/** The committed model, read at its first use. */
export const harmModel = (): HarmModel => (read ??= unpackHarm(HARM_MODEL))
