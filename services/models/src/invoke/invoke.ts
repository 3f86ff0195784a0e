// The handler of `model.invoke`: one dispatch of a model step, from plan and command to output and meter.
//   I1. What a gate's retry changed (models, prompt, feedback) goes before what the plan says.
//   I2. The meter is the dispatch's: all its calls are paid, whichever answer was used, and also when none was.
import { Fault } from '@baton/contracts/fault'
import type { Json, Meter, StepCommand } from '@baton/contracts'
import { renderPrompt } from '@baton/flow'
import type { PlanNode, RetrySpec } from '@baton/flow/plan'
import type { TrySpec } from '@baton/policy'
import type { WorkContext, WorkHandler, WorkResult } from '@baton/service'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { ask, type Asked, type GivenUp } from './ask.ts'

/** Time of one try where the step names none. */
const TIMEOUT_MS = 30_000
const WAIT_MAX_MS = 2_000
const ONE_TRY: RetrySpec = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false }

type ModelNode = PlanNode & { readonly kind: 'model' }
type Prompt = { readonly prompt: string; readonly system?: string }

const modelNode = (node: PlanNode): ModelNode => {
  if (node.kind === 'model') return node
  throw new Fault('flow.invalid', `${node.id} is no model step.`, { node: node.id })
}

const promptOf = ({ plan, input }: WorkContext, name: string): Prompt => {
  const prompt = plan.prompts[name]
  if (prompt === undefined) throw new Fault('flow.invalid', `The plan has no prompt ${name}.`, { prompt: name })
  const { parts, system } = prompt
  return { prompt: renderPrompt(parts, input), ...(system === undefined ? {} : { system: renderPrompt(system, input) }) }
}

const trySpec = (node: ModelNode): TrySpec => ({
  ...(node.retry ?? ONE_TRY),
  timeoutMs: node.timeoutMs ?? TIMEOUT_MS,
  waitMaxMs: WAIT_MAX_MS,
})

type Took = Pick<Meter, 'startedAtMs' | 'latencyMs' | 'inputChars'>

const meterOf = ({ output, model, tries, usage, failedOver }: Asked, took: Took): Meter => ({
  ...took,
  tries,
  model: model.name,
  provider: model.provider,
  outputChars: JSON.stringify(output.value).length,
  ...usage, // I2
  ...(output.confidence === undefined ? {} : { confidence: output.confidence }),
  ...(output.repaired ? { repaired: true } : {}),
  ...(failedOver.length > 0 ? { failedOver: [...failedOver] } : {}),
})

/** Of a dispatch that gave nothing: its calls are paid as well (I2). */
const lossOf = ({ tries, usage, failedOver }: GivenUp, took: Took): Meter => ({
  ...took,
  tries,
  outputChars: 0,
  ...usage,
  ...(failedOver.length > 0 ? { failedOver: [...failedOver] } : {}),
})

/** A dispatch as the result of its work. */
const resultOf = (
  asked: Asked | GivenUp,
  { prompt, system }: Prompt,
  { input, ...took }: Omit<Took, 'inputChars'> & { input: Json },
): WorkResult => {
  const promptChars = prompt.length + (system?.length ?? 0)
  if ('fault' in asked) return { status: 'failed', fault: asked.fault, meter: lossOf(asked, { ...took, inputChars: promptChars }) }
  const { output, model } = asked
  const inputChars = model.local ? JSON.stringify(input).length : promptChars
  const content: Json = { prompt, ...(system === undefined ? {} : { system }), input, output: output.value }
  return { status: 'answered', output: output.value, by: `model:${model.name}`, meter: meterOf(asked, { ...took, inputChars }), content }
}

/** Makes the handler. `random` is for jitter. */
export const invokeHandler =
  (catalogue: Catalogue, { random, clockMs }: { random: () => number; clockMs: () => number }): WorkHandler =>
  async (command: StepCommand, context: WorkContext) => {
    const { input, signal } = context
    const node = modelNode(context.node)
    const { override } = command
    const models = catalogue.resolve(override?.models ?? node.models) // I1
    const told = promptOf(context, override?.prompt ?? node.prompt)
    const startedAtMs = context.nowMs()
    const started = clockMs()
    const asked = await ask({
      models,
      question: { ...told, input, ...(override?.feedback === undefined ? {} : { feedback: override.feedback }) },
      schema: node.returns,
      spec: trySpec(node),
      signal,
      random,
      clockMs,
    })
    const latencyMs = Math.round((clockMs() - started) * 1_000) / 1_000
    return resultOf(asked, told, { input, startedAtMs, latencyMs })
  }
