// What a step does, by the word that says it.
import { type Syntax } from '../source/syntax.ts'
import type { BodyTree, StepTree } from '../tree.ts'
import type { Fields } from './context.ts'
import { LIMITED_KEYS, readEmit, readSubFlow, readWait } from './events.ts'
import { readCheck, readModel, readRetrieve, readSet, readTask, readTool } from './kinds.ts'
import { readHuman } from './human.ts'
import { LOOP_KEYS, readLoop } from './loop.ts'
import { MAP_KEYS, PARALLEL_KEYS, readMap, readParallel } from './parallel.ts'
import type { Site } from './site.ts'
import { readSwitch, SWITCH_KEYS } from './switch.ts'
import { readAgentStep, readTeam } from './team.ts'
import { readVote, VOTE_KEYS } from './vote.ts'

type Reader = (node: Syntax, fields: Fields, site: Site) => BodyTree | undefined

/** Each kind with how it is read and the keys that stand beside its word. */
const WORK = {
  model: { keys: ['prompt'], read: (_, fields, site) => readModel(fields, site) },
  tool: { keys: [], read: (node, _, site) => readTool(node, site) },
  retrieve: { keys: [], read: readRetrieve },
  check: { keys: [], read: (node, _, site) => readCheck(node, site) },
  human: { keys: [], read: (node, _, site) => readHuman(node, site) },
  task: { keys: [], read: (node, _, site) => readTask(node, site) },
  switch: { keys: SWITCH_KEYS, read: readSwitch },
  set: { keys: [], read: (node, _, site) => readSet(node, site) },
  parallel: { keys: PARALLEL_KEYS, read: readParallel },
  map: { keys: MAP_KEYS, read: readMap },
  vote: { keys: VOTE_KEYS, read: readVote },
  loop: { keys: LOOP_KEYS, read: readLoop },
  wait: { keys: [], read: (node, _, site) => readWait(node, site) },
  emit: { keys: [], read: (node, _, site) => readEmit(node, site) },
  flow: { keys: LIMITED_KEYS, read: readSubFlow },
  agent: { keys: LIMITED_KEYS, read: readAgentStep },
  team: { keys: [], read: (node, _, site) => readTeam(node, site) },
} as const satisfies Readonly<Record<string, { readonly keys: readonly string[]; readonly read: Reader }>>
type Kind = keyof typeof WORK

const isKind = (word: string): word is Kind => Object.hasOwn(WORK, word)

/** Words that say what a step does. */
export const KINDS: readonly Kind[] = Object.keys(WORK).filter(isKind)

/** Keys that stand beside the word of some kind. */
export const KIND_KEYS: readonly string[] = [...new Set(Object.values(WORK).flatMap(({ keys }): readonly string[] => keys))].filter(
  (key) => !isKind(key),
)

/** Keys that stand beside the word of a kind. */
export const ownKeys = (kind: StepTree['kind']): readonly string[] => WORK[kind === 'event' ? 'wait' : kind].keys

/** The work of a step; undefined with a report where it says none, or two. */
export const readWork = (fields: Fields, site: Site & { readonly name: string | null }): BodyTree | undefined => {
  const { context, name } = site
  const said = KINDS.filter((candidate) => fields.has(candidate))
  // The model beside a vote is that of its ballot.
  const [kind, another] = said.includes('vote') ? said.filter((word) => word !== 'model') : said
  if (another !== undefined) {
    context.report.add(fields.keyAt(another), 'flow.wrong_type', `a step does one thing; this one has "${kind ?? ''}" and "${another}"`)
    return undefined
  }
  const node = kind === undefined ? undefined : fields.get(kind)
  if (kind !== undefined && node !== undefined) return WORK[kind].read(node, fields, site)
  if (fields.has('prompt')) return readModel(fields, site)
  context.report.add(
    fields.at.entries[0]?.keyAt ?? fields.at,
    'flow.missing_key',
    `${name === null ? 'a step' : `step "${name}"`} does not say what to do`,
    `one of: ${KINDS.join(', ')}, prompt`,
  )
  return undefined
}
