// Types of a flow for those who call it: what goes in, what comes out, what may be moved.
//   T1. The same plan gives the same text, so that the file can be committed and compared.
//   T2. The text compiles by itself under `strict`; what is not known is `unknown`, never `any`.
import type { OpenedFlow } from '../outline/open.ts'
import type { ParamSpec } from '../plan.ts'
import type { FlowTree, ValueTree } from '../tree.ts'
import { createTyping, type Typing } from '../types/typing.ts'
import { typeOfLiteral } from '../types/schema-type.ts'
import { ANY, withMaker, type Type } from '../types/type.ts'
import { commentOf, schemaText } from './schema-text.ts'
import { typeText } from './type-text.ts'

/** The text of a TypeScript file with the types of a flow. */
export const clientTypes = ({ plan, tree }: OpenedFlow): string => {
  const name = typeName(plan.flow)
  const output = outputType(tree)
  return `// Types of ${plan.flow}@${plan.version}, plan ${plan.hash.slice(0, 12)}. Written by \`baton types\`; do not edit.

/** Name of the flow in requests. */
export const ${name}Flow = '${plan.flow}'

/** What a request brings. */
export type ${name}Input = ${schemaText(plan.input, 'sent')}

/** What a result holds. */
export type ${name}Output = ${typeText(output)}

/** Values that may be set for an environment or a tenant. */
export type ${name}Params = ${paramsText(plan.params)}
`
}

const typeName = (flow: string): string => {
  const words = (flow.split('/').at(-1) ?? flow).split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[A-Za-z]/.test(name) ? name : `Flow${name}`
}

/** The type of what a run gives: `output`, or the output of its last step. */
const outputType = (tree: FlowTree): Type => {
  const typing = createTyping(tree)
  const last = tree.steps.at(-1)
  if (tree.output !== undefined) return valueType(tree.output, typing)
  return last === undefined ? ANY : withMaker(typing.outputs.final(last))
}

/** The type of the output, whose expressions see every step. */
const valueType = (output: ValueTree, { seen, outputs }: Typing): Type => {
  const expressions = new Set(expressionsOf(output))
  for (const one of seen) if (one.is === 'expression' && expressions.has(one.expr)) return outputs.value(output, one.view)
  return 'lit' in output ? typeOfLiteral(output.lit) : ANY
}

const expressionsOf = (value: ValueTree): readonly object[] => {
  if ('expr' in value) return [value.expr]
  if ('list' in value) return value.list.flatMap(expressionsOf)
  return 'object' in value ? value.object.flatMap(([, field]) => expressionsOf(field)) : []
}

const PARAM_TYPES: Readonly<Record<ParamSpec['type'], string>> = {
  number: 'number',
  integer: 'number',
  string: 'string',
  boolean: 'boolean',
  duration: 'string | number',
}

const paramsText = (params: OpenedFlow['plan']['params']): string => {
  const lines = Object.entries(params).map(([name, { type, default: value, min, max, about }]) => {
    const comment = commentOf(
      {
        ...(about === undefined ? {} : { description: about }),
        ...(min === undefined ? {} : { minimum: min }),
        ...(max === undefined ? {} : { maximum: max }),
        default: value,
      },
      '  ',
    )
    return `${comment}  readonly ${name}?: ${PARAM_TYPES[type]}`
  })
  return lines.length === 0 ? '{ readonly [name: string]: never }' : `{\n${lines.join('\n')}\n}`
}
