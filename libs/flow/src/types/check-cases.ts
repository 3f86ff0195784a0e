// Cases of a switch against the type of what they compare.
import { nearest } from '../diagnostic.ts'
import type { Span } from '../source/source.ts'
import type { RuleTree, StepTree } from '../tree.ts'
import { describeType, isKnown, notNull, scalarOf, type Type } from './type.ts'
import type { Add } from './typing.ts'

/** `pure`: the switch is on a path, whose enum the pass over decisions knows as well (T3). */
type Site = { readonly pure: boolean; readonly whole: Span; readonly add: Add }

/** Reports cases that can never be met, and null that has none. */
export const checkCases = (step: StepTree & { readonly kind: 'switch' }, type: Type, site: Site): void => {
  const on = step.on?.cel ?? ''
  const covered = step.rules.some((rule) => rule.equals === undefined || rule.equals === null)
  if (type.nullable !== undefined && !covered)
    site.add(
      site.whole,
      'type.nullable',
      `${on} may be null (${type.nullable.why}), and there is neither an else nor a case for null`,
      'else: next',
    )
  const value = notNull(type)
  if (!isKnown(value) || value.kind === 'null' || (site.pure && value.kind === 'enum')) return
  for (const rule of step.rules) checkCase(rule, value, { on, add: site.add })
}

const checkCase = ({ equals, at }: RuleTree, type: Type, { on, add }: { readonly on: string; readonly add: Add }): void => {
  if (equals === null || equals === undefined) return
  const message = `${on} is ${describeType(type)} and never ${JSON.stringify(equals)}`
  if (scalarOf(type) !== typeof equals)
    add(at, 'type.mismatch', message, scalarOf(type) === 'string' ? JSON.stringify(String(equals)) : undefined)
  else if (type.kind === 'enum' && !type.values.includes(equals)) {
    const near = nearest(String(equals), type.values.map(String))
    add(at, 'type.enum_value', near === undefined ? message : `${message}; did you mean "${near}"?`, near)
  }
}
