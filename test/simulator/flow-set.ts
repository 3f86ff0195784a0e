// The flows of one history: the fixed ones of the first engine, or a generated one with the flows it starts.
import { programOf } from '@baton/engine/testing'
import type { Program } from '@baton/flow/program'
import type { Json, MessageOf } from '@baton/contracts'
import { CHILDREN, flowOf, type FlowSpec } from './flow-gen.ts'
import { FLOWS, PROGRAMS } from './flows.ts'
import { randomOf, type Random } from './random.ts'

export type FlowSet = {
  readonly engineVersion: number
  readonly program: (planHash: string) => Program | undefined
  /** What clients ask for, the more often the more often it is there. */
  readonly roots: readonly Program[]
  /** Whether a run of this plan may be compared with the reference. */
  readonly isTold: (planHash: string) => boolean
  readonly pins: NonNullable<MessageOf<'run.requested'>['flows']>
  readonly inputOf: (random: Random, requestId: string) => Json
}

const PARAMS = (program: Program) =>
  Object.fromEntries(Object.entries(program.plan.params).map(([name, { default: value }]) => [name, value]))

export const FIXED: FlowSet = {
  engineVersion: 1,
  program: (planHash) => PROGRAMS.get(planHash),
  roots: FLOWS,
  isTold: () => false,
  pins: {},
  inputOf: (_random, requestId) => ({ text: requestId }),
}

const compiled = ({ flow }: FlowSpec): Program => programOf(JSON.stringify(flow))

/** A flow by seed that compiles; the checker refuses some of what chance comes up with. */
export const generatedFlow = (
  seed: number,
  name?: string,
  flows?: readonly string[],
): { readonly spec: FlowSpec; readonly program: Program } => {
  for (let again = 0; ; again += 1) {
    const spec = flowOf(randomOf(seed * 64 + again), name, flows)
    try {
      return { spec, program: compiled(spec) }
    } catch (error) {
      if (again >= 20) throw error
    }
  }
}

/** Children are the same in every history. */
const children = (): readonly { readonly spec: FlowSpec; readonly program: Program }[] =>
  CHILDREN.map((name, index) => generatedFlow(900 + index, name, CHILDREN.slice(0, index)))
let known: ReturnType<typeof children> | undefined

const flowSetOf = (root: { readonly spec: FlowSpec; readonly program: Program }): FlowSet => {
  known ??= children()
  const all = new Map([...known, root].map((one) => [one.program.plan.hash, one]))
  const pins = Object.fromEntries(
    known.map(({ program: { plan }, program }) => [
      `${plan.flow}@stable`,
      { flow: plan.flow, version: plan.version, planHash: plan.hash, params: PARAMS(program) },
    ]),
  )
  const wide = JSON.stringify(root.spec.flow['steps']).includes('"map":"=input.many"')
  return {
    engineVersion: 4,
    program: (planHash) => all.get(planHash)?.program,
    roots: [root.program],
    isTold: (planHash) => all.get(planHash)?.spec.tight === false,
    pins,
    inputOf: (random, requestId) => ({
      text: random.chance(0.5) ? 'order' : requestId,
      kind: random.pick(['order', 'other']),
      n: Math.round(random.next() * 100) / 100,
      items: Array.from({ length: random.below(6) }, (_, index) => index / 10),
      many: Array.from({ length: wide ? 290 : 2 }, (_, index) => index),
    }),
  }
}

export const flowSet = (seed: number): FlowSet => flowSetOf(generatedFlow(seed))

/** The set of a flow given as data; throws where the checker refuses it. */
export const flowSetOfSpec = (spec: FlowSpec): FlowSet => flowSetOf({ spec, program: compiled(spec) })
