import { Fault } from '@baton/contracts'
import type { Person } from '../review.ts'
import { USER_HEADER } from '../tenant.ts'
import type { PeopleSettings } from './people.config.ts'

/** Headers by which a proxy that knows people says what they are. */
const ROLES_HEADER = 'x-baton-roles'
const SKILLS_HEADER = 'x-baton-skills'
export type PersonHeaders = Readonly<Record<string, string | undefined>>

const listed = (header: string | undefined): readonly string[] =>
  (header ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))

/** Who asks: as the proxy in front says, which knows; else as they say themselves. */
export const personIn = (headers: PersonHeaders, by: string | undefined, people: Pick<PeopleSettings, 'person'>): Person => {
  const known = headers[USER_HEADER] ?? ''
  const name = known === '' ? by : known
  if (name === undefined || name === '') throw new Fault('request.malformed', 'by: who does this is required', { field: 'by' })
  return people.person(name, { roles: listed(headers[ROLES_HEADER]), skills: listed(headers[SKILLS_HEADER]) })
}
