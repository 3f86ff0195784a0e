// Rows: whole systems of the repository, as their folders are, with the scripts that lie beside them. Published on the command line.
import { brief } from './lab.mjs'

const QUESTION = { question: 'Why do more people take the harbour ferry, and how many are they?' }
const REPORT = [
  'More people take the harbour ferry because the bridge is closed and the ticket is valid on the tram.',
  'The ferry had 420000 passengers in 2024 and 615000 in 2025.',
  'Critics say that the ferry is late in fog and has no place for bicycles.',
].join(' ')
const DOCUMENT = { title: 'Our trip', text: 'It took 40 days and costs 1,200. Everybody knows that it rains there.' }
const agentsOf = (journal) => {
  const turns = journal.filter(({ type, data }) => type.includes('step.dispatched') && data.path.endsWith('turn[1]'))
  return turns.map(({ data }) => data.path.split('/').at(-2)).toSorted((left, right) => (left < right ? -1 : 1))
}

export const rows = [
  {
    pattern: 'S12: a research team with scripted models',
    folder: 'flows/s12-research',
    published: 'research/report',
    expected: {
      status: 'completed',
      output: {
        text: REPORT,
        sources: [
          'flows/s12-research/library/ferry-growth.md',
          'https://library.example/data/ferry-passengers',
          'flows/s12-research/library/ferry-critics.md',
        ],
        by: 'team:writer',
      },
      degraded: ['agent.unsure'],
      rounds: 2,
      subtasks: 3,
      people: 0,
    },
    seen: async ({ lab, name }) => {
      await lab.cli('index', 'add', 'web', 'flows/s12-research/library')
      const runId = await lab.start(name, QUESTION)
      const result = brief(await lab.ended(runId))
      const places = agentsOf(await lab.journal(runId))
      return {
        ...result,
        rounds: places.filter((place) => place.startsWith('plan[')).length,
        subtasks: new Set(places.filter((place) => place.startsWith('task['))).size,
        people: (await lab.good('GET', '/v1/reviews?queue=research')).items.length,
      }
    },
  },
  {
    pattern: 'S13: ten rules, three judges each, scripted',
    folder: 'flows/s13-document-evaluation',
    published: 'documents/evaluation',
    expected: {
      status: 'completed',
      passed: false,
      reason: 'a rule is broken',
      findings: 10,
      not: ['The document begins with a summary.: unclear', 'Every number has a unit.: broken'],
    },
    seen: async ({ lab, name }) => {
      const { status, output } = await lab.run(name, DOCUMENT)
      const { passed, reason, findings } = output
      const not = findings.filter(({ verdict }) => verdict !== 'kept').map(({ rule, verdict }) => `${rule}: ${verdict}`)
      return { status, passed, reason, findings: findings.length, not }
    },
  },
]
