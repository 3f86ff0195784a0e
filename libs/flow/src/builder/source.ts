// From a flow as data to the builder's TypeScript: what runs to the same data again (F1).
//   T1. Running the text gives a flow with the same plan as the data.
//   T2. What the builder has a function for is written with it; only what it has none for is left as raw data.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { conditionText, createNames, expressionText, literalText, valueText, type Names } from './source-values.ts'
import { callText, keyText, listText, objectText, print, stringText, type Text } from './source-text.ts'

type Entries = readonly (readonly [string, Text])[]
/** Names bound around a piece of text that come from no step: `it`, `item`, `fault`. */
type Bound = readonly string[]

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)
const without = (data: JsonObject, ...keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(data).filter(([key]) => !keys.includes(key)))

/** The builder's source of a flow. Importing it gives the flow as the default export. */
export const toBuilderSource = (data: JsonObject): string => {
  const names = createNames()
  const lines = [
    ...sectionsOf(data, names),
    ...(isList(data['steps']) ? data['steps'] : []).map((step) => stepText(step, names)),
    ...endingOf(data, names),
  ]
  const start = callText(names.use('flow'), typeof data['flow'] === 'string' ? [stringText(data['flow'])] : [])
  const chain = lines.map((line) => `\n  ${print(line, '  ')}`).join('')
  const imports = print({ open: 'import {', items: names.used(), close: `} from 'baton'` })
  return `${imports}\n\nexport default ${print(start)}${chain}\n`
}

const SHAPED = ['input', 'schemas']
const PLAIN = ['about', 'labels', 'limits', 'params', 'prompts', 'history']
const ENDING = ['onError', 'onLimit', 'results', 'output']
const CALLED = ['flow', 'steps', ...PLAIN, ...SHAPED, 'agents', 'buffers', 'triggers', ...ENDING]

const sectionsOf = (data: JsonObject, names: Names): readonly Text[] => {
  const section = (key: string, read: (value: Json) => Text): readonly Text[] => {
    const value = data[key]
    return value === undefined ? [] : [[`.${key}(`, read(value), ')']]
  }
  const other = Object.entries(data).filter(([key]) => !CALLED.includes(key))
  return [
    ...(other.length === 0 ? [] : [callText('.also', [literalText(Object.fromEntries(other))])]),
    ...PLAIN.flatMap((key) => section(key, literalText)),
    ...SHAPED.flatMap((key) => section(key, literalText)),
    ...section('agents', (value) => eachOf(value, (agent) => agentText(agent, names))),
    ...section('buffers', literalText),
    ...section('triggers', (value) => listOf(value, (trigger) => triggerText(trigger, names))),
  ]
}

const eachOf = (value: Json, read: (item: JsonObject) => Text): Text =>
  isJsonObject(value)
    ? objectText(Object.entries(value).map(([key, item]) => [key, isJsonObject(item) ? read(item) : literalText(item)] as const))
    : literalText(value)
/** The triggers are arguments, not a list. */
const listOf = (value: Json, read: (item: JsonObject) => Text): Text => {
  const items = (isList(value) ? value : [value]).map((item) => (isJsonObject(item) ? read(item) : literalText(item)))
  return items.flatMap((item, index) => (index === 0 ? [item] : [', ', item]))
}

const agentText = (agent: JsonObject, names: Names): Text =>
  objectText(
    Object.entries(agent).map(([key, value]) => {
      if (key === 'fallback' && typeof value !== 'string') return [key, seen(names, () => outcomeText(value, names))] as const
      return key === 'context' && isJsonObject(value)
        ? ([key, contextText(value, names, true)] as const)
        : ([key, literalText(value)] as const)
    }),
  )

const triggerText = (trigger: JsonObject, names: Names): Text =>
  objectText(
    Object.entries(trigger).map(([key, value]) => {
      if (key === 'when') return [key, viewed(names, ['event'], () => conditionText(value, names))] as const
      return key === 'input' || key === 'key'
        ? ([key, viewed(names, ['event'], () => valueText(value, names))] as const)
        : ([key, literalText(value)] as const)
    }),
  )

const endingOf = (data: JsonObject, names: Names): readonly Text[] => {
  const { onError, onLimit, results, output } = data
  const lines: Text[] = []
  if (onError !== undefined) lines.push(callText('.onError', [seen(names, () => outcomeText(onError, names))]))
  if (onLimit !== undefined) lines.push(callText('.onLimit', [seen(names, () => outcomeText(onLimit, names))]))
  if (results !== undefined) lines.push(callText('.results', [literalText(results)]))
  if (output !== undefined) lines.push(callText('.output', [seen(names, () => valueText(output, names))]))
  return lines
}

/** A function of what can be seen, with the names its text uses; the text alone where it uses none. */
const seen = (names: Names, body: () => Text): Text => {
  const { text, free } = names.within(body)
  return free.length === 0 ? text : [...head(names, free), isObject(text) ? ['(', text, ')'] : text]
}
/** The same for names that are given here only: the others come from around. */
const viewed = (names: Names, bound: Bound, body: () => Text): Text => {
  const { text, used } = names.binding(bound, body)
  return used.length === 0 ? text : [...head(names, used), isObject(text) ? ['(', text, ')'] : text]
}
const head = (names: Names, used: readonly string[]): readonly Text[] => [
  `({ ${used.map((name) => (names.local(name) === name ? name : `${keyText(name)}: ${names.local(name)}`)).join(', ')} }) => `,
]
const isObject = (text: Text): boolean => typeof text === 'object' && 'open' in text && text.open === '{'

const entryOf = (step: Json): readonly [string, Json] => {
  const [entry] = isJsonObject(step) ? Object.entries(step) : []
  return entry ?? ['', null]
}
const stepText = (step: Json, names: Names): Text => {
  const [name, body] = entryOf(step)
  return callText('.step', [stringText(name), seen(names, () => partText(body, names))])
}

/** A body in a branch, an item, a voter or a step. */
const partText = (body: Json, names: Names): Text => {
  if (isList(body)) return blockText(body, names)
  return isJsonObject(body) ? bodyText(body, names) : literalText(body)
}

/** Steps of a block see each other; everything else they name comes from around. */
const blockText = (steps: readonly Json[], names: Names): Text => callText(names.use('block'), [startedText(steps, names, [])])
const startedText = (steps: readonly Json[], names: Names, bound: Bound): Text => {
  const own = steps.map((step) => entryOf(step)[0])
  const { text, used } = names.binding(bound, () =>
    steps.map((step): Text => {
      const [name, body] = entryOf(step)
      return callText('.step', [stringText(name), viewed(names, own, () => partText(body, names))])
    }),
  )
  const around = used.length === 0 ? '(b) => b' : `(b, { ${used.join(', ')} }) => b`
  return [around, ...(Array.isArray(text) ? text : [text])]
}

const outcomeText = (outcome: Json, names: Names): Text => {
  if (typeof outcome === 'string')
    return ['next', 'end', 'fail'].includes(outcome) ? stringText(outcome) : callText(names.use('goTo'), [stringText(outcome)])
  if (!isJsonObject(outcome)) return literalText(outcome)
  const keys = Object.keys(outcome)
  if (keys.length === 1 && keys[0] === 'retry') return literalText(outcome)
  const { then: after } = outcome
  const body = without(outcome, 'then')
  const text = isList(body['do']) && Object.keys(body).length === 1 ? blockText(body['do'], names) : bodyText(body, names)
  return after === undefined ? text : callText(names.use('thenGo'), [text, literalText(after)])
}

const rulesText = (rules: Json, names: Names): Text =>
  isList(rules) ? listText(rules.map((rule) => ruleText(rule, names))) : ruleText(rules, names)
const ruleText = (rule: Json, names: Names): Text => {
  if (!isJsonObject(rule)) return literalText(rule)
  return objectText(
    Object.entries(rule).map(([key, value]): readonly [string, Text] => {
      if (key === 'when') return [key, conditionText(value, names)]
      return [key, key === 'then' || key === 'else' ? outcomeText(value, names) : literalText(value)]
    }),
  )
}

/** What a step's context names comes from around; an agent stands outside of the steps and takes it as a function. */
const contextText = (context: JsonObject, names: Names, own: boolean): Text =>
  objectText(
    Object.entries(context).map(([key, value]): readonly [string, Text] => {
      if (key !== 'parts' || !isList(value)) return [key, literalText(value)]
      const parts = (): Text => listText(value.map((part) => contextPartText(part, names)))
      return [key, own ? seen(names, parts) : parts()]
    }),
  )
const contextPartText = (part: Json, names: Names): Text =>
  isJsonObject(part)
    ? objectText(Object.entries(part).map(([name, item]) => [name, name === 'from' ? valueText(item, names) : literalText(item)] as const))
    : literalText(part)

const VALUES = ['with', 'media', 'key', 'on']
const CONDITIONS = ['when', 'match', 'until']
const OUTCOMES = ['onTimeout', 'onLimit']
const PARTS = ['failover', 'undo', 'judge']

/** The fields that every step can have. */
const fieldEntries = (data: JsonObject, names: Names): Entries =>
  Object.entries(data).map(([key, value]) => [key, fieldText(key, value, names)] as const)

const fieldText = (key: string, value: Json, names: Names): Text => {
  if (VALUES.includes(key)) return valueText(value, names)
  if (CONDITIONS.includes(key)) return conditionText(value, names)
  if (OUTCOMES.includes(key)) return outcomeText(value, names)
  if (PARTS.includes(key)) return isParts(key, value) ? listText(value.map((part) => partText(part, names))) : partText(value, names)
  switch (key) {
    case 'gate':
      return viewed(names, ['it'], () => rulesText(value, names))
    case 'onError':
      return viewed(names, ['fault'], () => outcomeText(value, names))
    case 'cache':
      return isJsonObject(value) ? objectText(fieldEntries(value, names)) : literalText(value)
    case 'context':
      return isJsonObject(value) ? contextText(value, names, false) : literalText(value)
    default:
      return literalText(value)
  }
}
/** A list under `failover` holds bodies; a list of single-key steps under `undo` is one body. */
const isParts = (key: string, value: Json): value is readonly Json[] => key === 'failover' && isList(value)

const called = (name: string, first: readonly Text[], fields: Entries, names: Names): Text =>
  callText(names.use(name), [...first, ...(fields.length === 0 ? [] : [objectText(fields)])])
const rawText = (data: JsonObject, names: Names): Text => callText(names.use('raw'), [literalText(data)])

type Writer = (data: JsonObject, names: Names) => Text | undefined
const named =
  (key: string, name = key): Writer =>
  (data, names) =>
    called(name, [literalText(data[key] ?? null)], fieldEntries(without(data, key), names), names)

/** How each kind is written; undefined where a form has no function (T2). */
const KINDS: Readonly<Record<string, Writer>> = {
  tool: named('tool'),
  check: named('check'),
  human: named('human'),
  task: named('task'),
  flow: named('flow', 'subflow'),
  team: named('team'),
  retrieve: (data, names) => {
    const { retrieve, with: given, ...rest } = data
    if (typeof retrieve !== 'string' || !isJsonObject(given) || given['query'] === undefined) return undefined
    const { query, top, ...more } = given
    if (Object.keys(more).length > 0) return undefined
    const asked: Entries = [['query', valueText(query, names)], ...(top === undefined ? [] : [['top', valueText(top, names)] as const])]
    return called('retrieve', [stringText(retrieve)], [...asked, ...fieldEntries(rest, names)], names)
  },
  set: (data, names) => called('set', [valueText(data['set'] ?? null, names)], fieldEntries(without(data, 'set'), names), names),
  switch: (data, names) => switchText(data, names),
  parallel: (data, names) => {
    const { parallel, ...rest } = data
    if (!isJsonObject(parallel)) return undefined
    const branches = Object.entries(parallel).map(([name, part]) => [name, partText(part, names)] as const)
    return called('parallel', [objectText(branches)], fieldEntries(rest, names), names)
  },
  map: (data, names) => {
    const { map, each, as = 'item', ...rest } = data
    if (typeof as !== 'string' || map === undefined || each === undefined) return undefined
    const work = viewed(names, [as, 'index'], () => partText(each, names))
    const given = data['as'] === undefined ? [] : [['as', stringText(as)] as const]
    return called('forEach', [], [['over', valueText(map, names)], ...given, ['each', work], ...fieldEntries(rest, names)], names)
  },
  vote: (data, names) => voteText(data, names),
  loop: (data, names) => {
    const { loop, do: steps, ...rest } = data
    if (!isJsonObject(loop) || loop['max'] === undefined || !isList(steps)) return undefined
    const rounds = Object.entries(loop).map(([key, value]): readonly [string, Text] => [
      key,
      key === 'until' ? viewed(names, ['it', 'index'], () => conditionText(value, names)) : literalText(value),
    ])
    return called('loop', [startedText(steps, names, ['it', 'index'])], [...rounds, ...fieldEntries(rest, names)], names)
  },
  wait: (data, names) => {
    const { wait, ...rest } = data
    if (typeof wait === 'string') return called('wait', [stringText(wait)], fieldEntries(rest, names), names)
    if (!isJsonObject(wait) || typeof wait['event'] !== 'string') return undefined
    const { event, match, ...more } = wait
    const matched = match === undefined ? [] : [['match', viewed(names, ['event'], () => conditionText(match, names))] as const]
    return called('waitFor', [stringText(event)], [...matched, ...fieldEntries(more, names), ...fieldEntries(rest, names)], names)
  },
  emit: (data, names) => {
    const { emit, ...rest } = data
    if (typeof emit === 'string') return called('emit', [stringText(emit)], fieldEntries(rest, names), names)
    if (!isJsonObject(emit) || typeof emit['topic'] !== 'string') return undefined
    return called(
      'emit',
      [stringText(emit['topic'])],
      [...fieldEntries(without(emit, 'topic'), names), ...fieldEntries(rest, names)],
      names,
    )
  },
  agent: (data, names) => {
    const { agent, ...rest } = data
    const who = isJsonObject(agent)
      ? objectText(Object.entries(agent).map(([key, value]) => [key, valueText(value, names)] as const))
      : literalText(agent ?? null)
    return called('agent', [who], fieldEntries(rest, names), names)
  },
}

const switchText = (data: JsonObject, names: Names): Text | undefined => {
  const { switch: on, cases, else: otherwise, ...rest } = data
  if (isList(on)) return called('switchWhen', [rulesText(on, names)], fieldEntries(rest, names), names)
  if (typeof on !== 'string' || !on.startsWith('=') || !isJsonObject(cases)) return undefined
  const ways = Object.entries(cases).map(([key, outcome]) => [key, outcomeText(outcome, names)] as const)
  const last: Entries = otherwise === undefined ? [] : [['else', outcomeText(otherwise, names)]]
  return called('switchOn', [expressionText(on.slice(1), names), objectText(ways)], [...last, ...fieldEntries(rest, names)], names)
}

const voteText = (data: JsonObject, names: Names): Text | undefined => {
  const { vote, ...rest } = data
  if (!isJsonObject(vote)) return undefined
  const entries = Object.entries(vote).map(([key, value]): readonly [string, Text] => {
    if (key === 'voters' && isList(value)) return [key, listText(value.map((voter) => voterText(voter, names)))]
    if (key === 'on') return [key, viewed(names, ['it'], () => valueText(value, names))]
    return [key, key === 'tie' ? outcomeText(value, names) : fieldText(key, value, names)]
  })
  return called('vote', [], [...entries, ...fieldEntries(rest, names)], names)
}
const voterText = (voter: Json, names: Names): Text => {
  if (!isJsonObject(voter) || typeof voter['weight'] !== 'number') return partText(voter, names)
  const { weight, ...body } = voter
  return objectText([
    ['body', bodyText(body, names)],
    ['weight', String(weight)],
  ])
}

const bodyText = (data: JsonObject, names: Names): Text => {
  const kind = Object.keys(KINDS).find((key) => data[key] !== undefined && !(key === 'flow' && typeof data['flow'] !== 'string'))
  const writer = kind === undefined ? undefined : KINDS[kind]
  const text = writer === undefined ? modelText(data, names) : writer(data, names)
  return text ?? rawText(data, names)
}
const modelText: Writer = (data, names) =>
  typeof data['prompt'] === 'string' ? called('model', [], fieldEntries(data, names), names) : undefined
