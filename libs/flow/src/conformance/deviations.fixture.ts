// The page of what our expressions do otherwise than CEL, and why.
import { fits, oursOf, referenceOf, type Answer } from './conformance.fixture.ts'
import { selectCases, type OfficialCase } from './official-cases.fixture.ts'

/** Why a case is answered otherwise; the first pattern that fits the id counts. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^macros2\//, 'macros with two variables are a newer part of CEL; the reference lacks them too'],
  [
    /receiver_function_names|unbound_is_runtime_error/,
    'an unknown name is a mistake when the flow is checked, also where its value would not matter',
  ],
  [
    /self_eval_unbound_lookup|dyn_no_denotation/,
    'a lone name that is no step is refused when the flow is checked; a step that has not run is null',
  ],
  [/namespace\/qualified/, 'names with dots in them do not exist: a dot reads a field'],
  [/lossy|_big_/, 'an int beyond 2^53 is compared with a double as a double; JSON has no such numbers'],
  [/fp_math\/mod/, 'on purpose: numbers of JSON are doubles, and % works on them'],
  [/short_circuit_type|mixed_type|exists_one\/map_one/, 'constants of the wrong type are refused even where they are not reached'],
  [/list_elem_mixed_types|not_eq_list_length/, 'literal lists of different types are not compared; lists in data are'],
  [/timestamps\//, 'times are those of JavaScript: milliseconds, years beyond 9999, zones by name or signed offset'],
  [/not_gt_double/, 'a number begins with a digit'],
]
const reasonOf = (id: string): string => REASONS.find(([pattern]) => pattern.test(id))?.[1] ?? 'unexplained'

/** One case that we answer otherwise than it asks for. */
type Deviation = OfficialCase & { readonly ours: Answer; readonly reason: string }

export type Comparison = {
  readonly total: number
  readonly passed: number
  readonly deviations: readonly Deviation[]
  /** Cases that the reference itself answers otherwise. */
  readonly referenceFailed: readonly string[]
  readonly sections: ReadonlyMap<string, { readonly total: number; readonly passed: number; readonly referencePassed: number }>
}

/** Evaluates every case with both. */
export const compareAll = (): Comparison => {
  const sections = new Map<string, { total: number; passed: number; referencePassed: number }>()
  const deviations: Deviation[] = []
  const referenceFailed: string[] = []
  const { cases } = selectCases()
  for (const one of cases) {
    const ours = oursOf(one)
    const passed = fits(ours, one)
    const referencePassed = fits(referenceOf(one), one)
    const section = sections.get(one.section) ?? { total: 0, passed: 0, referencePassed: 0 }
    sections.set(one.section, {
      total: section.total + 1,
      passed: section.passed + (passed ? 1 : 0),
      referencePassed: section.referencePassed + (referencePassed ? 1 : 0),
    })
    if (!passed) deviations.push({ ...one, ours, reason: reasonOf(one.id) })
    if (!referencePassed) referenceFailed.push(one.id)
  }
  return { total: cases.length, passed: cases.length - deviations.length, deviations, referenceFailed, sections }
}

const percent = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(1)} %`
const code = (text: string): string => `\`${text.replaceAll('|', '\\|').replaceAll('\n', ' ')}\``
const answerText = (answer: Answer): string => ('error' in answer ? 'an error' : code(JSON.stringify(answer.value)))

/** The page `deviations.md`. */
export const deviationsPage = ({ total, passed, deviations, referenceFailed, sections }: Comparison): string => {
  const { outside, notOffered } = selectCases()
  const count = (cases: ReadonlyMap<string, number>): string => [...cases].map(([section, n]) => `${section} ${n}`).join(', ')
  const reasons = [...new Set(deviations.map(({ reason }) => reason))].toSorted((a, b) => (a < b ? -1 : 1))
  return [
    '# Expressions beside CEL',
    '',
    'Generated: `BATON_UPDATE=1` with the spec beside this file writes it; the spec fails when it is not what is measured.',
    '',
    `The official conformance cases that JSON can express: **${passed} of ${total} (${percent(passed, total)})**; the reference, @bufbuild/cel 0.6.1, answers ${total - referenceFailed.length}.`,
    `Left out, because they are about protobuf messages, bytes, uint or types: ${count(outside)}.`,
    `Left out, because flows do not offer the extension: ${count(notOffered)}.`,
    '',
    '| section | cases | as asked | share | reference |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...[...sections].map(
      ([name, section]) =>
        `| ${name} | ${section.total} | ${section.passed} | ${percent(section.passed, section.total)} | ${section.referencePassed} |`,
    ),
    '',
    '## Deviations',
    ...reasons.flatMap((reason) => [
      '',
      `### ${reason}`,
      '',
      ...deviations
        .filter((deviation) => deviation.reason === reason)
        .map(
          ({ id, expression, expected, ours }) =>
            `- ${code(id)}: ${code(expression)} is ${expected === undefined ? 'an error' : code(JSON.stringify(expected))}, here ${answerText(ours)}`,
        ),
    ]),
    '',
  ].join('\n')
}
