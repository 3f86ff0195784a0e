// The handler of `model.invoke`: one dispatch of a model step, from plan and command to output and meter.
//   I1. What a gate's retry changed (models, prompt, feedback) goes before what the plan says.
//   I2. All calls of a dispatch are paid (meter.ts).
import { Fault } from '@baton/contracts/fault'
import type { Json, StepCommand } from '@baton/contracts'
import type { PlanNode, RetrySpec } from '@baton/flow/plan'
import type { TrySpec } from '@baton/policy'
import type { WorkContext, WorkHandler, WorkResult } from '@baton/service'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { readOutput } from '../output/structured-output.ts'
import { ask, type Asked, type GivenUp } from './ask.ts'
import { lossOf, meterOf, type Took } from './meter.ts'
import { promptOf, type Prompt } from './prompt.ts'

/** Time of one try where the step names none. */
const TIMEOUT_MS = 30_000
const WAIT_MAX_MS = 2_000
const ONE_TRY: RetrySpec = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false }

type ModelNode = PlanNode & { readonly kind: 'model' }
const modelNode = (node: PlanNode): ModelNode => {
  if (node.kind === 'model') return node
  throw new Fault('flow.invalid', `${node.id} is no model step.`, { node: node.id })
}

const trySpec = (node: ModelNode): TrySpec => ({
  ...(node.retry ?? ONE_TRY),
  timeoutMs: node.timeoutMs ?? TIMEOUT_MS,
  waitMaxMs: WAIT_MAX_MS,
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
  const outputChars = JSON.stringify(output.value).length
  const content: Json = { prompt, ...(system === undefined ? {} : { system }), input, output: output.value }
  return {
    status: 'answered',
    output: output.value,
    by: `model:${model.name}`,
    meter: meterOf(asked, { ...took, inputChars, outputChars }),
    content,
  }
}

/** Makes the handler. `random` is for jitter. */
export const invokeHandler =
  (catalogue: Catalogue, { random, clockMs }: { random: () => number; clockMs: () => number }): WorkHandler =>
  async (command: StepCommand, context: WorkContext) => {
    const { input, signal } = context
    const node = modelNode(context.node)
    const { override } = command
    const models = catalogue.resolve(override?.models ?? node.models) // I1
    const told = promptOf(context.plan, override?.prompt ?? node.prompt, input)
    const startedAtMs = context.nowMs()
    const started = clockMs()
    const asked = await ask({
      models,
      question: {
        ...told,
        input,
        occasion: { step: node.id },
        ...(override?.feedback === undefined ? {} : { feedback: override.feedback }),
      },
      schema: node.returns,
      read: (answer) => readOutput(answer, node.returns),
      spec: trySpec(node),
      signal,
      random,
      clockMs,
    })
    const latencyMs = Math.round((clockMs() - started) * 1_000) / 1_000
    return resultOf(asked, told, { input, startedAtMs, latencyMs })
  }
