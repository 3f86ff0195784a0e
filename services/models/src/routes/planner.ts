// Routes of the catalogue, ready to be asked: conditions compiled, artefacts opened, policies applied.
//   G4. What a route or policy needs is read when the catalogue is made; what is wrong there is `config.invalid` with its place.
//   Q1. Policies add up: each that holds may name a class of data, narrow the regions and deny models; none can widen what another narrowed.
//   Q2. A condition that cannot be said of a request (a field is not there) does not hold; a policy whose condition cannot be said does.
import { Fault, toFault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { type Condition, loadCondition } from '@baton/flow'
import type { Calibrator } from '@baton/policy/calibration'
import {
  type AcceptSpec,
  chooseModels,
  type Choosers,
  type LiveFacts,
  type Need,
  type RouteTree,
  type StickyBy,
  treesIn,
} from '@baton/policy/routing'
import type { Made } from '../catalogue/make-model.ts'
import type { ModelsFile, PolicyEntry } from '../catalogue/models-file.ts'
import type { Surroundings } from '../catalogue/surroundings.ts'
import { acceptanceOf } from './acceptance.policy.ts'
import type { AnswerJudge, RouterPredict } from './learned-routes.ts'
import type { PlanRequest, PlanRoute, PlanStep, RequestAbout } from './route-plan.ts'

const NAMES = ['request', 'need', 'live'] as const

type Values = { readonly request: Json; readonly need: Json; readonly live: Json }

const valuesOf = ({ about, need }: PlanRequest, live: LiveFacts): Values => {
  const { session = null, user = null, priority = null, input = null, ...request } = about
  const { denied: _denied, regions: _regions, dataClass = null, outputTokens = null, ...wants } = need
  return {
    request: { ...request, session, user, priority, input },
    need: { ...wants, dataClass, outputTokens },
    live: { leftMs: live.leftMs, frugal: live.frugal === true },
  }
}

const compile = (cel: string, field: string): Condition => {
  try {
    return loadCondition(cel, { names: NAMES, field })
  } catch (error) {
    throw new Fault('config.invalid', `${field}: ${toFault(error).message}`, { field }, { cause: error }) // G4
  }
}

/** `otherwise`: what counts where it cannot be said (Q2). */
const holds = (condition: Condition, values: Values, otherwise: boolean): boolean => {
  try {
    return condition.test(values)
  } catch (error) {
    if (toFault(error).code === 'expression.failed') return otherwise
    throw error
  }
}

type Rule = PolicyEntry & { readonly condition: Condition | undefined }

/** What the policies that hold ask for, added to what the question needs (Q1). */
const bound = (need: Need, rules: readonly Rule[], values: Values): Need =>
  rules
    .filter(({ condition }) => condition === undefined || holds(condition, values, true))
    .reduce<Need>((narrowed, { dataClass, regions, deny = [], why }) => {
      const both = regions === undefined ? narrowed.regions : (narrowed.regions?.filter((region) => regions.includes(region)) ?? regions)
      const denied = { ...narrowed.denied, ...Object.fromEntries(deny.map((model) => [model, why ?? 'a policy excludes it'])) }
      const isClass = narrowed.dataClass ?? dataClass
      return {
        ...narrowed,
        denied,
        ...(both === undefined ? {} : { regions: both }),
        ...(isClass === undefined ? {} : { dataClass: isClass }),
      }
    }, need)

const keyOf = (about: RequestAbout, by: StickyBy): string => {
  const { tenant, runId, session, user } = about
  if (by === 'tenant') return tenant
  if (by === 'session') return `${tenant} ${session ?? runId}`
  return by === 'user' ? `${tenant} ${user ?? session ?? runId}` : runId
}

type Artefacts = { readonly routers: ReadonlyMap<string, RouterPredict>; readonly judges: ReadonlyMap<string, AnswerJudge> }

const filesIn = (trees: readonly RouteTree[]): { readonly routers: readonly string[]; readonly judges: readonly string[] } => {
  const all = trees.flatMap(treesIn)
  const judges = all.flatMap((tree) => (tree.kind === 'cascade' ? tree.stages.flatMap(({ accept }) => accept?.judge ?? []) : []))
  return { routers: [...new Set(all.flatMap((tree) => (tree.kind === 'learned' ? [tree.router] : [])))], judges: [...new Set(judges)] }
}

const openAll = async <T>(
  files: readonly string[],
  open: ((file: string) => Promise<T | undefined>) | undefined,
): Promise<ReadonlyMap<string, T>> => {
  const opened = await Promise.all(files.map(async (file) => [file, await open?.(file)] as const))
  return new Map(opened.flatMap(([file, artefact]) => (artefact === undefined ? [] : [[file, artefact] as const])))
}

const conditionsOf = (file: ModelsFile): ReadonlyMap<string, Condition> => {
  const found = new Map<string, Condition>()
  for (const [name, route] of Object.entries(file.routes)) {
    for (const tree of treesIn(route)) {
      if (tree.kind !== 'when') continue
      for (const rule of tree.rules)
        if (rule.if !== undefined && !found.has(rule.if)) found.set(rule.if, compile(rule.if, `routes.${name}`))
    }
  }
  return found
}

/** Makes the function that chooses. Throws `config.invalid` (G4). */
export const createPlanner = async (
  file: ModelsFile,
  { made, surroundings }: { made: ReadonlyMap<string, Made>; surroundings: Surroundings },
): Promise<PlanRoute> => {
  const conditions = conditionsOf(file)
  const rules = file.policies.map((policy, at): Rule => ({
    ...policy,
    condition: policy.if === undefined ? undefined : compile(policy.if, `policies.${at}.if`),
  }))
  const { routers, judges } = filesIn(Object.values(file.routes))
  const artefacts: Artefacts = {
    routers: await openAll(routers, surroundings.learned?.router),
    judges: await openAll(judges, surroundings.learned?.judge),
  }
  const choosersOf = (request: PlanRequest, values: Values): Choosers => ({
    routeOf: (name) => (Object.hasOwn(file.routes, name) ? file.routes[name] : undefined),
    factsOf: (name) => {
      const found = made.get(name)
      return found?.model === undefined ? undefined : found.about
    },
    isAbsent: (name) => made.has(name),
    holds: (cel) => {
      const condition = conditions.get(cel)
      return condition !== undefined && holds(condition, values, false)
    },
    predict: (router) => artefacts.routers.get(router)?.(request.text),
    keyOf: (by) => keyOf(request.about, by),
  })
  return (request, live) => {
    const values = valuesOf(request, live)
    const need = rules.length === 0 ? request.need : bound(request.need, rules, values)
    const choice = chooseModels(request.names, { need, live, choosers: choosersOf(request, values) })
    const steps = choice.steps.flatMap(({ model, role, stage, accept, person }): readonly PlanStep[] => {
      const found = made.get(model)?.model
      return found === undefined
        ? []
        : [
            {
              model: found,
              role,
              stage,
              ...(accept === undefined ? {} : { accept: acceptWith(accept, request, artefacts) }),
              ...(person === undefined ? {} : { person }),
            },
          ]
    })
    const ofRoute = request.names.find((name) => Object.hasOwn(file.routes, name) && Object.hasOwn(file.calibration, name))
    const calibratorOf = (model: string): Calibrator | undefined => file.calibration[ofRoute ?? model]
    return { route: request.names.join(', '), policy: choice.policy, steps, candidates: choice.candidates, calibratorOf }
  }
}

const acceptWith = (spec: AcceptSpec, request: PlanRequest, { judges }: Artefacts): NonNullable<PlanStep['accept']> => {
  const judge = spec.judge === undefined ? undefined : judges.get(spec.judge)
  return (answer) => acceptanceOf(answer, { spec, question: request.text, ...(judge === undefined ? {} : { judge }) })
}
