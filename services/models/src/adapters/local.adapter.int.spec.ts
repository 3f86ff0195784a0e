// SmolLM2 in this process. Runs where `baton models pull smollm2` and node-llama-cpp are; elsewhere it says why it does not.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { toFault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { compileFlow, renderPrompt } from '@baton/flow'
import type { Model, Question } from '../model.ts'
import { readOutput } from '../output/structured-output.ts'
import { localModel } from './local.adapter.ts'
import { hasLlamaEngine } from './local-runtime.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const modelsDir = process.env['BATON_MODELS_DIR'] ?? join(process.env['BATON_DATA_DIR'] ?? join(root, '.baton'), 'models')
const weights = join(modelsDir, 'SmolLM2-135M-Instruct.Q4_1.gguf')
const reason = !existsSync(weights)
  ? `no weights in ${modelsDir}: baton models pull smollm2`
  : hasLlamaEngine(modelsDir)
    ? undefined
    : `no node-llama-cpp in ${modelsDir}: baton models pull smollm2 says how to install it`
if (reason !== undefined) process.stderr.write(`SmolLM2 is not tested: ${reason}\n`)

const SECONDS = 1_000
const asked = (change: Partial<Question>): Question => ({ prompt: '', input: null, signal: AbortSignal.timeout(60 * SECONDS), ...change })

const whenPulled = reason === undefined ? describe : describe.skip
whenPulled('SmolLM2 in this process (B1)', () => {
  let model: Model
  beforeAll(() => {
    model = localModel('smollm2', { weights, modelsDir, contextTokens: 2_048, outputTokensMax: 96, temperature: 0, seed: 1, threads: 1 })
  })
  const text = async (question: Partial<Question>): Promise<string> => {
    const answer = await model.invoke(asked(question))
    return 'text' in answer ? answer.text : JSON.stringify(answer.value)
  }

  it(
    'L3: answers, twice the same, and tells pieces while it writes (B11, B19)',
    async () => {
      const pieces: string[] = []
      const question = { prompt: 'What is the capital of France? Answer in one sentence.', system: 'You answer briefly.' }
      const first = await text({ ...question, onPiece: ({ text: piece }) => pieces.push(piece) })
      expect(first).toMatch(/Paris/)
      expect(pieces.join('')).toBe(first)
      expect(await text(question)).toBe(first)
    },
    60 * SECONDS,
  )

  it(
    'L4: with a schema the answer parses; a confidence that makes no sense is caught (B15)',
    async () => {
      const schema = {
        type: 'object',
        required: ['intent', 'confidence'],
        properties: { intent: { enum: ['refund', 'technical', 'other'] }, confidence: { type: 'number' } },
      }
      const answer = await model.invoke(asked({ prompt: 'Classify the intent of: "I want my money back".', schema }))
      const value: Json = 'text' in answer ? (JSON.parse(answer.text) as Json) : answer.value // Written under a grammar.
      expect(value).toMatchObject({ intent: expect.stringMatching(/refund|technical|other/) })
      const confidence = (value as { confidence: number }).confidence // As above.
      const makesSense = confidence >= 0 && confidence <= 1
      const read = (): string => {
        try {
          readOutput(answer, schema)
          return 'fits'
        } catch (error) {
          return toFault(error).code
        }
      }
      expect(read()).toBe(makesSense ? 'fits' : 'confidence.invalid')
    },
    60 * SECONDS,
  )

  it(
    'L5, L7: a conversation is told as one prompt, and free text that is cut ends at a whole sentence',
    async () => {
      const conversation = [
        { role: 'assistant' as const, text: 'Which city do you mean?', calls: [] },
        { role: 'user' as const, text: 'Paris.' },
      ]
      const said = await text({ prompt: 'Tell me a long story about a city.', conversation, outputTokensMax: 48 })
      expect(said).toMatch(/[.!?]["')\]]?$/)
    },
    60 * SECONDS,
  )

  it(
    'S14: extracts, summarises and translates, one step after another',
    async () => {
      const file = 'flows/s14-chain/flow.yaml'
      const compiled = compileFlow({ files: new Map([['flow.yaml', readFileSync(join(root, file), 'utf8')]]), entry: 'flow.yaml' })
      if (!compiled.ok) throw new Error('the flow has mistakes')
      const { plan } = compiled
      const input = { text: 'Ada Lovelace was born in London in 1815. She wrote the first algorithm for the Analytical Engine.' }
      const said: { [step: string]: Json } = {}
      for (const node of Object.values(plan.nodes)) {
        if (node.kind !== 'model') continue
        const prompt = renderPrompt(plan.prompts[node.prompt]?.parts ?? [], { input, ...said })
        said[node.name ?? ''] = await text({ prompt, outputTokensMax: 64 })
      }
      expect(Object.keys(said)).toEqual(['facts', 'summary', 'translation'])
      expect(said['facts']).toMatch(/Ada|1815|London/)
    },
    120 * SECONDS,
  )
})

describe('weights in this process', () => {
  it('L6: without the engine it says what to type', async () => {
    const elsewhere = localModel('w', {
      weights: '/nowhere/w.gguf',
      modelsDir: '/nowhere',
      contextTokens: 512,
      outputTokensMax: 8,
      temperature: 0,
      seed: 1,
      threads: 1,
    })
    await expect(elsewhere.invoke(asked({ prompt: 'Hi' }))).rejects.toMatchObject({
      code: 'model.none_configured',
      message: expect.stringContaining('npm install'),
    })
  })
})
