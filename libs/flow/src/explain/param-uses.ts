import type { Json } from '@baton/contracts/json'
import { stepsOfOutline, type Outline, type OutlineStep } from '../outline/outline.ts'

/** A place that a param moves. */
export type ParamUse = { readonly where: string; readonly expression: string }

/** The expressions of a flow that read a param. */
export const paramUses = (param: string, outline: Outline): readonly ParamUse[] => {
  const reads = new RegExp(`(?<![\\w.])params\\s*\\.\\s*${param}(?!\\w)|(?<![\\w.])params\\[["']${param}["']\\]`)
  const inStep = (step: OutlineStep): readonly ParamUse[] => {
    const conditions = [
      ...(step.when === undefined ? [] : [[`${step.id}: when`, step.when] as const]),
      ...step.cases.flatMap(({ label, when }) => (when === undefined ? [] : [[`${step.id}: case ${label}`, when] as const])),
      ...step.gate.flatMap(({ label, when }) =>
        when === undefined ? [] : [[`${step.id}: gate ${label === when ? '' : label}`.trim(), when] as const],
      ),
    ]
    const values = Object.entries(step.facts).flatMap(([field, value]) =>
      expressionsIn(value).map((text) => [`${step.id}: ${field}`, text] as const),
    )
    return [...conditions, ...values].filter(([, text]) => reads.test(text)).map(([where, expression]) => ({ where, expression }))
  }
  const inOutput = outline.output === undefined ? [] : expressionsIn(outline.output).filter((text) => reads.test(text))
  // Triggers, and the context of agents.
  const inFlow = Object.entries(outline.facts).flatMap(([word, value]) =>
    expressionsIn(value).flatMap((expression) => (reads.test(expression) ? [{ where: word, expression }] : [])),
  )
  return [...stepsOfOutline(outline).flatMap(inStep), ...inFlow, ...inOutput.map((expression) => ({ where: 'output', expression }))]
}

const expressionsIn = (value: Json): readonly string[] => {
  if (typeof value === 'string') return value.startsWith('=') ? [value.slice(1)] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((item) => expressionsIn(item))
}
