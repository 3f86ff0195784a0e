// Params that are changed while a flow runs, without a change of the flow.
//   P1. What is set fits type and range of the flow that is current; what is published or moved to fits what was set.
//   P2. flow < all < environment < tenant < tenant in an environment: the stronger value stands.
import { DEFAULT_TENANT, Fault, type Json } from '@baton/contracts'
import { overrideProblem, type ParamSpec, type Plan } from '@baton/flow'
import type { ParamScope, ParamStore, Stores } from '@baton/store'

export type ParamSetting = ParamSpec & {
  readonly name: string
  readonly value: Json
  /** Where the value comes from. */
  readonly from: 'flow' | 'all' | 'environment' | 'tenant' | 'tenant and environment'
}

type Scope = Omit<ParamScope, 'flow'>
type Layers = Awaited<ReturnType<ParamStore['overrides']>>

/** Refuses a plan whose ranges leave out a value that was set (P1). */
export const requireFittingParams = async (
  { params }: Pick<Stores, 'params'>,
  plan: Pick<Plan, 'flow' | 'params'>,
  owner: string,
): Promise<void> => {
  // The flow of the default tenant is that of every tenant without one; the flow of another tenant is its own.
  const concerned = (await params.all(plan.flow)).filter(
    ({ scope }) => owner === DEFAULT_TENANT || scope.tenant === '' || scope.tenant === owner,
  )
  for (const { scope, values } of concerned)
    for (const [name, value] of Object.entries(values)) {
      // A param that is gone takes its overrides with it.
      const problem = Object.hasOwn(plan.params, name) ? overrideProblem(plan, name, value) : undefined
      if (problem !== undefined)
        throw new Fault('params.invalid', `${name} ${problem}: it was set for ${wordsOf(scope)}; set it anew first`, {
          field: `params.${name}`,
        })
    }
}

/** Refuses values that a flow cannot take; null takes an override away (P1). */
export const requireFittingValues = (plan: Pick<Plan, 'params'>, values: { readonly [name: string]: Json }): void => {
  for (const [name, value] of Object.entries(values)) {
    const problem = value === null ? undefined : overrideProblem(plan, name, value)
    if (problem !== undefined) throw new Fault('params.invalid', `${name} ${problem}`, { field: `params.${name}` })
  }
}

/** The params of a plan with the values that stand, and where they come from (P2). */
export const settingsOf = (plan: Pick<Plan, 'params'>, layers: Layers): readonly ParamSetting[] =>
  Object.entries(plan.params).map(([name, spec]) => {
    const strongest = layers.findLast(
      ({ values }) => Object.hasOwn(values, name) && overrideProblem(plan, name, values[name] ?? null) === undefined,
    )
    return strongest === undefined
      ? { name, ...spec, value: spec.default, from: 'flow' }
      : { name, ...spec, value: strongest.values[name] ?? null, from: levelOf(strongest.scope) }
  })

const levelOf = ({ tenant, environment }: Scope): ParamSetting['from'] => {
  if (tenant === '') return environment === '' ? 'all' : 'environment'
  return environment === '' ? 'tenant' : 'tenant and environment'
}

const wordsOf = ({ tenant, environment }: Scope): string => {
  const words = [tenant === '' ? '' : `tenant ${tenant}`, environment === '' ? '' : `environment ${environment}`].filter(
    (word) => word !== '',
  )
  return words.length === 0 ? 'all' : words.join(' in ')
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Whom a request is about: a caller with a tenant of its own sees and changes nothing but its own. */
export const scopeOf = ({ caller, tenant, environment }: { caller: string; tenant?: string; environment?: string }): Scope => {
  for (const [field, value] of Object.entries({ tenant, env: environment }))
    if (value !== undefined && value !== '' && !NAME.test(value))
      throw new Fault('request.malformed', `${field}: may hold small letters, digits, dot, dash and underscore`, { field })
  if (caller !== DEFAULT_TENANT && tenant !== undefined && tenant !== '' && tenant !== caller)
    throw new Fault('request.malformed', `${caller} cannot change params of ${tenant}`, { field: 'tenant' })
  return { tenant: caller === DEFAULT_TENANT ? (tenant ?? '') : caller, environment: environment ?? '' }
}
