// Everything that is generated from the contracts, as a map of files below docs/generated. Writing them is the script's work.
import { FAULTS } from '../fault.ts'
import { CONTRACTS, contractNames, wireType } from '../registry.ts'
import { topicManifest } from '../topics.ts'
import { accessCommands, accessRules } from './access-rules.ts'
import { asyncApiDocument } from './asyncapi.ts'
import { messageSchemaFiles } from './message-schemas.ts'
import { strimziTopics, strimziUsers } from './strimzi.ts'

export { accessCommands, accessRules, type AccessOptions, type AccessRule, type ForeignTopics } from './access-rules.ts'
export { breakingChanges } from './compatibility.ts'
export { unmetNeeds } from './consumer-needs.ts'
export { strimziTopics, strimziUsers, type StrimziOptions } from './strimzi.ts'

/** Paths below docs/generated with their text. The same contracts give the same bytes. */
export const generatedFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ...messageSchemaFiles(),
    ['asyncapi.json', json(asyncApiDocument())],
    ['topics.json', json(topicsDocument())],
    ['faults.md', faultsPage()],
    ['acls.json', json({ about: ABOUT_ACCESS, rules: accessRules() })],
    ['acls.sh', `# ${ABOUT_ACCESS}\n${accessCommands(accessRules()).join('\n')}\n`],
    ['../../k8s/kafka-topics.yaml', strimziTopics()],
    ['../../k8s/kafka-users.yaml', strimziUsers()],
  ])

const ABOUT_ACCESS =
  'The rights that each service needs and no more, with the users baton-SERVICE; `baton topics --acls` prints them for this installation.'

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const topicsDocument = (): unknown => {
  const names = contractNames()
  return {
    about:
      'Every topic of an installation, without BATON_TOPIC_PREFIX. Retry topics and dead letters carry what was read from the topic before them.',
    topics: topicManifest().map((topic) => ({
      ...topic,
      messages: names.filter((name) => CONTRACTS[name].topics.includes(topic.name)).map(wireType),
    })),
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  retry: 'try again later',
  failover: 'try another model or tool',
  reask: 'ask again, with the error',
  human: 'ask a person',
  stop: 'nothing; something has to change first',
}

const faultsPage = (): string => {
  const rows = Object.entries(FAULTS).map(
    ([code, { remedy, blame, status, summary }]) => `| \`${code}\` | ${summary} | ${REMEDIES[remedy] ?? remedy} | ${blame} | ${status} |`,
  )
  return [
    '# Faults',
    '',
    'Every expected failure has one of these codes: in events, HTTP problems, logs and metrics. Generated from `libs/contracts/src/fault.ts`.',
    '',
    '| code | what happened | what helps | to blame | HTTP |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
