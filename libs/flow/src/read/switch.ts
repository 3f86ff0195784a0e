/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// Rules: the cases of a switch and the lines of a gate.
import { defined } from '../defined.ts'
import type { ListSyntax, Syntax } from '../source/syntax.ts'
import type { BodyTree, Place, RuleTree } from '../tree.ts'
import { readCondition, readFields, readMarked, readText, type Fields, type ReadContext } from './context.ts'
import type { Nested, Site } from './site.ts'

/** Keys beside `switch`. */
export const SWITCH_KEYS = ['cases', 'else']

/** A switch on a value has cases; a switch on ranges is a list of when and then. */
export const readSwitch = (node: Syntax, fields: Fields, { id, context, nested }: Site): BodyTree | undefined => {
  if (node.kind === 'list') {
    for (const key of ['cases', 'else']) {
      if (fields.has(key))
        context.report.add(
          fields.keyAt(key),
          'flow.unknown_key',
          `"${key}" belongs to a switch on a value; this one is a list, its last line is { else: … }`,
        )
    }
    return { kind: 'switch', rules: readRules(node, { id: `${id}/when`, place: 'case', context, nested }) }
  }
  const on = readMarked(node, 'switch', context)
  const cases = fields.get('cases')
  if (cases === undefined || cases.kind !== 'map') {
    context.report.add(
      cases ?? fields.keyAt('switch'),
      'flow.missing_key',
      'a switch on a value needs cases',
      'cases: { refund: …, technical: … }',
    )
    return undefined
  }
  const rules = cases.entries.map((entry, index): RuleTree | undefined => {
    const segment = /^[\w.-]+$/.test(entry.key) && !['else', 'gate', 'onError'].includes(entry.key) ? entry.key : `case[${index}]`
    const outcome = nested.outcome(entry.value, { id: `${id}/${segment}`, place: 'case' })
    return outcome === undefined ? undefined : { at: entry.keyAt, equals: entry.keyValue, label: entry.key, outcome }
  })
  const elseNode = fields.get('else')
  const otherwise = elseNode === undefined ? undefined : nested.outcome(elseNode, { id: `${id}/else`, place: 'case' })
  const all = [
    ...rules.filter((rule) => rule !== undefined),
    ...(otherwise === undefined ? [] : [{ at: fields.keyAt('else'), label: 'else', outcome: otherwise }]),
  ]
  return on === undefined ? undefined : { kind: 'switch', on, rules: all }
}

/** A gate is a list of rules, or one { when, then, else }. */
export const readGate = (node: Syntax, { id, context, nested }: Site): readonly RuleTree[] | undefined => {
  if (node.kind === 'list') return readRules(node, { id: `${id}/gate`, place: 'gate', context, nested })
  const fields = readFields(node, { what: 'gate', known: ['when', 'then', 'else', 'label'], context })
  if (fields === undefined || node.kind !== 'map') return undefined
  const pick = (keys: readonly string[]): Syntax => ({ ...node, entries: node.entries.filter(({ key }) => keys.includes(key)) })
  const items = [pick(['when', 'then', 'label']), ...(fields.has('else') ? [pick(['else'])] : [])]
  return readRules({ ...node, kind: 'list', items }, { id: `${id}/gate`, place: 'gate', context, nested })
}

type Rules = { readonly id: string; readonly place: Place; readonly context: ReadContext; readonly nested: Nested }

const readRules = (node: ListSyntax, rules: Rules): readonly RuleTree[] =>
  node.items.map((item, index) => readRule(item, index, rules)).filter((rule) => rule !== undefined)

const readRule = (item: Syntax, index: number, { id, place, context, nested }: Rules): RuleTree | undefined => {
  const fields = readFields(item, { what: 'a rule', known: ['when', 'then', 'else', 'label'], context })
  if (fields === undefined) return undefined
  const shape = ['when', 'then', 'else'].filter((key) => fields.has(key)).join(' ')
  if (shape !== 'when then' && shape !== 'else') {
    context.report.add(item, 'flow.missing_key', 'a rule is { when: CONDITION, then: OUTCOME }, or { else: OUTCOME } on a line of its own')
    return undefined
  }
  const when = fields.read('when', (value) => readCondition(value, 'when', context))
  const outcome = fields.read(shape === 'else' ? 'else' : 'then', (value) => nested.outcome(value, { id: `${id}[${index}]`, place }))
  const label = fields.read('label', (value) => readText(value, 'label', context)) ?? when?.cel ?? 'else'
  const complete = shape === 'else' || when !== undefined
  return outcome === undefined || !complete ? undefined : { at: item, label, outcome, ...defined({ when }) }
}
