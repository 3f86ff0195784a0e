// How data of an earlier version becomes data of the present one. Every step stands here, and a reader meets present versions only.
//   U1. A step is a pure function from one version to a later one; steps are chained until the present version is reached.
//   U2. Data of the present version, or of a later minor one, is not touched: later minor versions only add fields, which readers ignore.
//   U3. A version that no step leads away from is undecodable; it is never guessed at.
import { Fault } from './fault.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import type { ContractName } from './registry.ts'

/** `major.minor`, as in `ce_dataschema`. */
export type ContractVersion = `${number}.${number}`

export type Upcast = {
  readonly contract: ContractName
  readonly from: ContractVersion
  readonly to: ContractVersion
  readonly up: (data: JsonObject) => JsonObject
}

/** All steps there are. None yet: every contract is in its first version. */
export const UPCASTS: readonly Upcast[] = []

type Numbers = { readonly major: number; readonly minor: number }
const numbersOf = (version: string): Numbers => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return { major, minor }
}
const isBefore = (left: Numbers, right: Numbers): boolean =>
  left.major < right.major || (left.major === right.major && left.minor < right.minor)

/** Major version of a step's beginning: the `.v0` of a wire type that is still understood. */
export const majorOf = (version: ContractVersion): number => numbersOf(version).major

/** The version of a record: from its schema, else from its type, whose minor version is then the first. */
export const versionOf = (headers: Readonly<Record<string, string>>): ContractVersion => {
  const [, major, minor] = /:(\d{1,4})\.(\d{1,4})$/.exec(headers['ce_dataschema'] ?? '') ?? []
  if (major !== undefined && minor !== undefined) return `${Number(major)}.${Number(minor)}`
  return `${Number(/\.v(\d{1,4})$/.exec(headers['ce_type'] ?? '')?.[1] ?? 1)}.0`
}

type Upcasting = {
  readonly contract: ContractName
  readonly version: ContractVersion
  readonly present: ContractVersion
  readonly steps?: readonly Upcast[]
}

/** Data of a version as data of the present one. Throws `message.undecodable` (U3). */
export const upcast = (data: unknown, { contract, version, present, steps = UPCASTS }: Upcasting): unknown => {
  let reached: ContractVersion = version
  let current = data
  while (isBefore(numbersOf(reached), numbersOf(present))) {
    const step = steps.find(({ contract: of, from }) => of === contract && from === reached)
    if (step === undefined) {
      // A minor version without a step needs none: what it lacks is optional.
      if (majorOf(reached) === majorOf(present)) return current
      throw new Fault('message.undecodable', `${contract} of version ${version} is older than any that is understood`, { field: 'ce_type' })
    }
    if (!isBefore(numbersOf(reached), numbersOf(step.to))) throw new Error(`the upcast of ${contract} from ${reached} leads to ${step.to}`)
    if (!isJsonObject(current)) return current // Its contract says what is wrong with it.
    current = step.up(current) // U1
    reached = step.to
  }
  return current // U2
}
