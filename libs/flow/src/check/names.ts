// Every name an expression, a slot or a jump uses must be there, and be there before.
import { isJsonObject, type JsonSchema } from '@baton/contracts/json'
import { didYouMean, type Report } from '../diagnostic.ts'
import { createAnalyser } from '../expression.ts'
import type { ExpressionPath } from '../expression-paths.ts'
import { ROOTS } from '../expression-scope.ts'
import type { Span } from '../source/source.ts'
import { spanInScalar } from '../source/syntax.ts'
import type { ContextTree, ExprTree, FlowTree, SlotTree, StepTree } from '../tree.ts'
import { isFilledByPart, walkFlow, type View } from './walk.ts'

/** Reports duplicate step names, and unknown, later or misused names in expressions and slots. */
export const checkNames = (tree: FlowTree, report: Report): void => {
  const all = collectSteps(tree, report)
  const analyse = createAnalyser([...all.keys(), ...boundNames(tree)])
  const names: Names = { tree, all, report }
  const buffers: Declared = { code: 'buffer.unknown', what: 'buffer', names: Object.keys(tree.buffers) }
  for (const { context } of Object.values(tree.agents)) checkParts(context, buffers, report)
  walkFlow(tree, {
    step: ({ writes, writesAt, at, context }) => {
      checkDeclared(buffers, { key: writes, report, at: () => writesAt ?? at })
      checkParts(context, buffers, report)
    },
    expression: (expression, view) => checkExpression(expression, { view, names, analyse }),
    slot: (slot, step, view) => checkSlot(slot, { step, view, names }),
  })
}

type Names = { readonly tree: FlowTree; readonly all: ReadonlyMap<string, StepTree>; readonly report: Report }

const checkParts = (context: ContextTree | undefined, buffers: Declared, report: Report): void => {
  for (const { from, at } of context?.parts ?? []) if ('buffer' in from) checkDeclared(buffers, { key: from.buffer, report, at: () => at })
}

const collectSteps = (tree: FlowTree, report: Report): ReadonlyMap<string, StepTree> => {
  const all = new Map<string, StepTree>()
  walkFlow(tree, {
    step: (step) => {
      if (step.name === null) return
      const first = all.get(step.name)
      if (first === undefined) all.set(step.name, step)
      else {
        const { line } = first.at.source.position(first.at.start)
        report.add(step.at, 'name.duplicate', `there is a step "${step.name}" already, in line ${line}`, `${step.name}_2`)
      }
    },
  })
  return all
}

/** Every variable that is bound somewhere. */
const boundNames = (tree: FlowTree): ReadonlySet<string> => {
  const found = new Set(['index', 'event', 'buffers'])
  walkFlow(tree, { step: (step) => (step.kind === 'map' ? found.add(step.as) : undefined) })
  return found
}

type Reading = { readonly view: View; readonly names: Names; readonly analyse: ReturnType<typeof createAnalyser> }

const checkExpression = ({ cel, at, skip }: ExprTree, { view, names, analyse }: Reading): void => {
  const analysis = analyse(cel)
  if (!analysis.ok) {
    names.report.add(spanInScalar(at, skip + analysis.index, tokenAt(cel, analysis.index)), analysis.code, analysis.message)
    return
  }
  for (const path of analysis.paths) {
    checkPath(path, { view, names, locate: (index, token) => spanInScalar(at, skip + index, token) })
  }
}

const tokenAt = (cel: string, index: number): string => /^[\w$]+|^\S/.exec(cel.slice(index))?.[0] ?? ''

type Site = { readonly view: View; readonly names: Names; readonly locate: (index: number, token: string) => Span }

const checkPath = (path: ExpressionPath, { view, names, locate }: Site): void => {
  const { report, tree } = names
  const at = locate(path.index, path.root)
  const key = path.keys[0]
  const keyAt = (): Span => locate(path.keyIndexes[0] ?? path.index, String(key ?? ''))
  if (view.trigger && BEFORE_RUN.has(path.root)) {
    report.add(at, 'reference.unknown', `a trigger comes before the run and has no "${path.root}"; what arrived is called "event"`, 'event')
    return
  }
  const declared = declaredIn(path.root, tree)
  if (declared !== undefined) checkDeclared(declared, { key, report, at: keyAt })
  else if (path.root === 'input') {
    if (!view.bound.has('input')) checkField({ schema: tree.input, key, report, at: keyAt })
  } else if (path.root !== 'run' && !checkBound(path.root, { at, view, report })) checkStepName(path.root, { at, view, names })
}

type Declared = { readonly code: 'reference.unknown' | 'buffer.unknown'; readonly what: string; readonly names: readonly string[] }

/** What a root stands for whose keys the flow declares. */
const declaredIn = (root: string, tree: FlowTree): Declared | undefined => {
  if (root === 'params') return { code: 'reference.unknown', what: 'param', names: Object.keys(tree.params) }
  return root === 'buffers' ? { code: 'buffer.unknown', what: 'buffer', names: Object.keys(tree.buffers) } : undefined
}

type Keyed = { readonly key: string | number | undefined; readonly report: Report; readonly at: () => Span }

const checkDeclared = ({ code, what, names }: Declared, { key, report, at }: Keyed): void => {
  if (typeof key === 'string' && !names.includes(key)) report.add(at(), code, `there is no ${what} "${key}"${didYouMean(key, names)}`)
}

const BEFORE_RUN: ReadonlySet<string> = new Set(['input', 'run', 'params', 'buffers'])

/** Variables that only some places have. */
const PLACES: Readonly<Record<string, string>> = {
  it: 'the output a gate or a loop looks at',
  fault: 'what an error handler looks at',
  item: 'what a map goes over',
  index: 'the number of a round of a map or loop',
  event: 'what a trigger or a wait for an event looks at',
}

/** Whether a name is that of a bound variable; one that is not bound here is reported. */
const checkBound = (name: string, { at, view, report }: { at: Span; view: View; report: Report }): boolean => {
  if (view.bound.has(name)) return true
  const place = Object.hasOwn(PLACES, name) ? PLACES[name] : undefined
  if (place === undefined) return false
  report.add(at, 'reference.unknown', `"${name}" is ${place}; there is none here`)
  return true
}

const checkField = ({
  schema,
  key,
  report,
  at,
}: {
  schema: JsonSchema
  key: string | number | undefined
  report: Report
  at: () => Span
}): void => {
  const properties = typeof schema === 'boolean' ? undefined : schema['properties']
  if (typeof key !== 'string' || !isJsonObject(properties) || Object.hasOwn(properties, key)) return
  const open = typeof schema !== 'boolean' && schema['additionalProperties'] !== undefined && schema['additionalProperties'] !== false
  if (!open)
    report.add(
      at(),
      'reference.unknown',
      `the input has no field "${key}"${didYouMean(key, Object.keys(properties))}`,
      `declare it: input: { ${key}: string }`,
    )
}

const checkStepName = (name: string, { at, view, names: { all, report } }: { at: Span; view: View; names: Names }): void => {
  if (view.steps.has(name)) return
  if (view.it !== undefined && view.it.name === name) {
    report.add(at, 'reference.later', `inside the gate of "${name}" its output is called "it"`, 'it')
    return
  }
  if (view.self?.name === name) {
    report.add(at, 'reference.later', `"${name}" is this step itself; it has no output yet`)
    return
  }
  const step = all.get(name)
  if (step === undefined) {
    report.add(
      at,
      'reference.unknown',
      `there is no step, input or param "${name}"${didYouMean(name, [...view.steps.keys(), ...view.bound.keys(), ...ROOTS])}`,
    )
    return
  }
  const { line } = step.at.source.position(step.at.start)
  report.add(at, 'reference.later', `"${name}" (line ${line}) does not come before this in the same block, so it has no output here`)
}

/** A slot is a key of the step's `with`; without one it is a name like in an expression. */
const checkSlot = (slot: SlotTree, { step, view, names }: { step: StepTree; view: View; names: Names }): void => {
  if (isFilledByPart(slot, step, names.tree)) return
  const { path, at } = slot
  const [root = ''] = path
  if (step.with !== undefined) {
    const keys =
      'object' in step.with
        ? step.with.object.map(([key]) => key)
        : 'lit' in step.with && isJsonObject(step.with.lit)
          ? Object.keys(step.with.lit)
          : undefined
    if (keys !== undefined && !keys.includes(root)) {
      names.report.add(
        at,
        'prompt.slot_unknown',
        `the prompt asks for {{ ${path.join('.')} }}, and "with" of the step has no "${root}"${didYouMean(root, keys)}`,
      )
    }
    return
  }
  const offset = at.start
  const keys = path.slice(1)
  const keyIndexes = keys.map((_, index) => path.slice(0, index + 1).join('.').length + 1)
  const locate = (index: number, token: string): Span => ({ source: at.source, start: offset + index, end: offset + index + token.length })
  checkPath({ root, keys, index: 0, keyIndexes, use: 'value' }, { view, names, locate })
}
