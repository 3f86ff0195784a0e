// Who does something with a review.
//   N1. Nothing is done by nobody: a name is required, and one that stands for nobody, or for a part of Baton, is none.
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

/** What the run is told where silence or a service decided, and what programs send that know nobody (N1). */
const NOBODYS = /^(?:human:)?\s*(?:|nobody|no one|none|unknown|anonymous|null|undefined|(?:policy|model|tool|agent|event|system):.*)$/i

/** The name, if it is one (N1). Throws `request.malformed`. */
export const nameOfPerson = (name: string | undefined): string => {
  if (name !== undefined && !NOBODYS.test(name.trim())) return name
  const reason = name === undefined || name.trim() === '' ? 'who does this is required' : `"${name}" is nobody; who does this is required`
  throw new Fault('request.malformed', `by: ${reason}`, { field: 'by' })
}

/** Who asks: as the proxy in front says, which knows; else as they say themselves. */
export const personIn = (headers: PersonHeaders, by: string | undefined, people: Pick<PeopleSettings, 'person'>): Person => {
  const known = headers[USER_HEADER] ?? ''
  return people.person(nameOfPerson(known === '' ? by : known), {
    roles: listed(headers[ROLES_HEADER]),
    skills: listed(headers[SKILLS_HEADER]),
  })
}
