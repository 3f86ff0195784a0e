// A method and path start one flow. Who has them first keeps them; another that wants them is told when it is published.
import { Fault } from '@baton/contracts'
import type { Plan } from '@baton/flow'
import type { Stores } from '@baton/store'
import { DEFAULT_ALIAS } from '../flows/flow-catalog.ts'
import { syncRows } from './trigger-book.ts'
import { triggersOf } from './trigger.ts'

type Publication = { readonly tenant: string; readonly alias: string; readonly plan: Pick<Plan, 'flow' | 'hash' | 'triggers'> }

/** Throws `request.conflicting` where another flow, or another trigger of this one, has the same method and path. */
export const refuseTakenPaths = async (stores: Pick<Stores, 'triggers'>, { tenant, alias, plan }: Publication): Promise<void> => {
  if (alias !== DEFAULT_ALIAS) return
  const subjects = triggersOf(tenant, plan).flatMap(({ kind, subject }) => (kind === 'http' ? [subject] : []))
  if (subjects.length === 0) return
  const twice = subjects.find((subject, index) => subjects.indexOf(subject) < index)
  if (twice !== undefined) throw new Fault('request.conflicting', `${plan.flow} has two triggers on ${twice}`, { field: 'triggers' })
  const rows = await stores.triggers.list(tenant)
  const taken = rows.find(({ kind, subject, flow }) => kind === 'http' && flow !== plan.flow && subjects.includes(subject))
  if (taken !== undefined)
    throw new Fault('request.conflicting', `${taken.subject} starts ${taken.flow} already; one method and path start one flow`, {
      field: 'triggers',
    })
}

/** What was published is in force from now on, wherever a gateway looks next. */
export const claimTriggers = async (stores: Pick<Stores, 'triggers'>, { tenant, alias, plan }: Publication): Promise<void> => {
  if (alias !== DEFAULT_ALIAS || plan.triggers === undefined) return
  await syncRows(stores.triggers, { tenant, flow: plan.flow, hash: plan.hash }, triggersOf(tenant, plan))
}
