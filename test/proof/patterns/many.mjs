// Rows: steps that are made of others side by side.
import { brief } from './lab.mjs'

const flow = (name, steps, more = '') => `flow: lab/${name}@1.0.0\nlimits: { time: 5m, steps: 60000 }\n${more}steps:\n${steps}`
const see = (what, more) => `{ tool: world/see, with: { what: ${what}, ${more} } }`

/** What a run gives while one of its calls is still held; then the call is let go. */
const whileHeld = async (lab, name, what) => {
  const result = await lab.run(`lab/${name}`)
  const held = lab.world.calls(what).length === 1
  lab.world.letGo(what)
  return { ...brief(result), whileTheOtherWasHeld: held }
}

const numbers = (count) => ({ items: Array.from({ length: count }, (_, v) => v) })
const counted = (output) => ({ items: output?.length, inOrder: output?.every(({ v }, index) => v === index + 1) })
const noOps = (name, how) =>
  flow(
    name,
    `  - all: { map: =input.items, as: n, ${how}, each: { tool: demo/no_op, with: { v: =n } } }\n`,
    'input: { items: "integer[]" }\n',
  )
const mapped =
  (count) =>
  ({ lab, name }) =>
    lab.run(name, numbers(count)).then(({ status, output }) => ({ status, ...counted(output) }))

const vote = (name, how) => flow(name, `  - ballot: { vote: { ${how} }, prompt: Is it so?, returns: { verdict: yes | no } }\n`)

export const rows = [
  {
    pattern: 'parallel, join all',
    flow: flow('all', `  - both: { parallel: { risk: ${see('all.a', 'gives: 1')}, name: ${see('all.b', 'gives: 2')} } }\n`),
    expected: { status: 'completed', output: { risk: 1, name: 2 } },
  },
  {
    pattern: 'parallel, join any: the first that ends',
    flow: flow('any', `  - both: { parallel: { a: ${see('any.held', 'holds: true')}, b: ${see('any.b', 'gives: 2')} }, join: any }\n`),
    expected: { status: 'completed', output: { a: null, b: 2 }, whileTheOtherWasHeld: true },
    seen: ({ lab }) => whileHeld(lab, 'any', 'any.held'),
  },
  {
    pattern: 'parallel, join first: the first that succeeds',
    flow: flow(
      'first',
      `  - some: { parallel: { a: ${see('first.a', 'fails: tool.arguments_invalid')}, b: ${see('first.b', 'holds: 300, gives: 2')}, c: ${see('first.held', 'holds: true')} }, join: first }\n`,
    ),
    expected: { status: 'completed', output: { a: null, b: 2, c: null }, whileTheOtherWasHeld: true },
    seen: ({ lab }) => whileHeld(lab, 'first', 'first.held'),
  },
  {
    pattern: 'parallel, quorum 2 of 3',
    flow: flow(
      'quorum',
      `  - some: { parallel: { a: ${see('quorum.a', 'gives: 1')}, b: ${see('quorum.held', 'holds: true')}, c: ${see('quorum.c', 'gives: 3')} }, join: { quorum: 2 } }\n`,
    ),
    expected: { status: 'completed', output: { a: 1, b: null, c: 3 }, whileTheOtherWasHeld: true },
    seen: ({ lab }) => whileHeld(lab, 'quorum', 'quorum.held'),
  },
  {
    pattern: 'parallel, a quorum that cannot be reached',
    flow: flow(
      'impossible',
      `  - some: { parallel: { a: ${see('impossible.a', 'fails: tool.arguments_invalid')}, b: ${see('impossible.b', 'fails: tool.arguments_invalid')}, c: ${see('impossible.c', 'gives: 3')} }, join: { quorum: 2 } }\n`,
    ),
    expected: { status: 'failed', fault: 'join.impossible' },
  },
  {
    pattern: 'parallel, fail fast',
    flow: flow(
      'fast',
      `  - both: { parallel: { a: ${see('fast.a', 'fails: tool.arguments_invalid')}, b: ${see('fast.held', 'holds: true')} } }\n`,
    ),
    expected: { status: 'failed', fault: 'tool.arguments_invalid', whileTheOtherWasHeld: true },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      const result = await lab.ended(runId)
      // The other branch may not have been called yet when the run was over.
      lab.world.letGo('fast.held')
      return { ...brief(result), whileTheOtherWasHeld: lab.world.calls('fast.held').length <= 1 }
    },
  },
  {
    pattern: 'parallel, failures collected',
    flow: flow(
      'collect',
      `  - both: { parallel: { a: ${see('collect.a', 'fails: tool.arguments_invalid')}, b: ${see('collect.b', 'gives: 2')} }, onFailure: collect }\noutput: { b: =both.b, failed: '=both.failures.map(f, f.branch + " " + f.code)' }\n`,
    ),
    expected: { status: 'completed', output: { b: 2, failed: ['a tool.arguments_invalid'] } },
  },
  {
    pattern: 'parallel, null for a failure',
    flow: flow(
      'null',
      `  - both: { parallel: { a: ${see('null.a', 'fails: tool.arguments_invalid')}, b: ${see('null.b', 'gives: 2')} }, onFailure: 'null' }\n`,
    ),
    expected: { status: 'completed', output: { a: null, b: 2 } },
  },
  {
    pattern: 'losers are given up; a late answer changes nothing',
    flow: flow(
      'losers',
      `  - fast: { parallel: { a: ${see('losers.held', 'holds: true')}, b: ${see('losers.b', 'gives: 2')} }, join: first }\n  - rest: { wait: 1500ms }\noutput: { a: =fast.a, b: =fast.b }\n`,
    ),
    expected: { status: 'completed', output: { a: null, b: 2 }, late: 'ignored' },
    seen: async ({ lab, name }) => {
      const runId = await lab.start(name)
      await lab.until('the loser to be called', async () => lab.world.calls('losers.held').length === 1)
      await lab.reaches(runId, 'waiting')
      lab.world.letGo('losers.held')
      const result = await lab.ended(runId)
      const journal = await lab.journal(runId)
      const late = journal.some(({ type, data }) => type.includes('answer.ignored') && data.attemptId.includes('/fast/a/'))
      return { ...brief(result), late: late ? 'ignored' : 'not seen' }
    },
  },
  {
    pattern: 'map, 3 at once, in the order of the items',
    flow: flow(
      'map',
      `  - all: { map: =input.items, as: n, concurrency: 3, each: { tool: world/see, with: { what: map.item, v: =n, holds: 30 }, returns: { v: integer } } }\noutput: =all.map(one, one.v)\n`,
      'input: { items: "integer[]" }\n',
    ),
    expected: { status: 'completed', output: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], atOnce: 3 },
    seen: async ({ lab, name }) => ({ ...brief(await lab.run(name, numbers(12))), atOnce: lab.world.most('map.item') }),
  },
  {
    pattern: 'map, chunks of 5, two at once: those of a chunk one after the other',
    flow: flow(
      'chunk',
      `  - all: { map: =input.items, as: n, concurrency: 2, chunk: 5, each: { tool: world/see, with: { what: chunk.item, v: =n, holds: 60 }, returns: { v: integer } } }\noutput: =all.map(one, one.v)\n`,
      'input: { items: "integer[]" }\n',
    ),
    expected: { status: 'completed', output: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], atOnce: 2, begins: [0, 5] },
    seen: async ({ lab, name }) => {
      const result = brief(await lab.run(name, numbers(10)))
      const begins = lab.world
        .calls('chunk.item')
        .slice(0, 2)
        .map(({ args }) => args.v)
      return { ...result, atOnce: lab.world.most('chunk.item'), begins: begins.toSorted((left, right) => left - right) }
    },
  },
  {
    pattern: 'map over nothing',
    flow: noOps('nothing', 'concurrency: 2'),
    input: { items: [] },
    expected: { status: 'completed', output: [] },
  },
  {
    pattern: 'map, 1,000 items',
    flow: noOps('thousand', 'concurrency: 64'),
    expected: { status: 'completed', items: 1_000, inOrder: true },
    seen: mapped(1_000),
  },
  {
    pattern: 'map, 10,000 items in chunks of 100',
    flow: noOps('ten-thousand', 'concurrency: 4, chunk: 100'),
    expected: { status: 'completed', items: 10_000, inOrder: true },
    seen: mapped(10_000),
  },
  {
    pattern: 'vote, majority of three models',
    flow: vote('majority', 'voters: [says-no, says-yes, says-yes], on: =it.verdict, rule: majority'),
    expected: { status: 'completed', output: { verdict: 'yes' } },
  },
  {
    pattern: 'vote, weighted',
    flow: vote(
      'weighted',
      'voters: [{ model: says-no, weight: 3 }, { model: says-yes, weight: 1 }, { model: says-yes, weight: 1 }], on: =it.verdict, rule: weighted',
    ),
    expected: { status: 'completed', output: { verdict: 'no' } },
  },
  {
    pattern: 'vote, a judge who sees all answers',
    flow: vote(
      'judge',
      'voters: [says-no, says-yes], rule: judge, judge: { tool: world/see, with: { what: judge, answers: =it, gives: { verdict: no } } }',
    ),
    expected: { status: 'completed', output: { verdict: 'no' }, judged: [{ verdict: 'no' }, { verdict: 'yes' }] },
    seen: async ({ lab, name }) => ({ ...brief(await lab.run(name)), judged: lab.world.calls('judge')[0]?.args.answers }),
  },
  {
    pattern: 'vote, a tie is what the flow says',
    flow: vote('tie', 'voters: [says-no, says-yes], on: =it.verdict, rule: majority, tie: { set: { verdict: no } }'),
    expected: { status: 'completed', output: { verdict: 'no' } },
  },
  {
    pattern: 'vote, a tie without a rule',
    flow: vote('undecided', 'voters: [says-no, says-yes], on: =it.verdict, rule: majority'),
    expected: { status: 'failed', fault: 'vote.undecided' },
  },
  {
    pattern: 'vote, decided early: the third is not waited for',
    flow: flow(
      'early',
      `  - ballot: { vote: { voters: [${see('early.a', 'gives: yes')}, ${see('early.b', 'gives: yes')}, ${see('early.held', 'holds: true')}], rule: majority, early: true } }\n`,
    ),
    expected: { status: 'completed', output: 'yes', whileTheOtherWasHeld: true },
    seen: ({ lab }) => whileHeld(lab, 'early', 'early.held'),
  },
]
