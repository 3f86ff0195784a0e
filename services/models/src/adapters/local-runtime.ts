// The engine that runs GGUF weights in this process: the optional package node-llama-cpp, found where it was installed.
//   L1. It is no dependency: most installations have no local weights, and it brings 270 MB. Without it a message says what to type.
//   L2. It is looked for beside Baton, then in the folder of the models.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Fault } from '@baton/contracts/fault'
import type { JsonObject } from '@baton/contracts/json'
import { z } from 'zod'

const PACKAGE = 'node-llama-cpp'

/** What is used of the engine. */
export type LlamaEngine = {
  readonly getLlama: (options: { gpu: false; logLevel: string; build: 'never' }) => Promise<Llama>
  readonly LlamaChatSession: new (options: { contextSequence: Disposable; systemPrompt?: string }) => LlamaSession
}
type Disposable = { dispose(): void }
export type LlamaSession = {
  promptWithMeta(
    text: string,
    options: {
      grammar?: object
      repeatPenalty?: { penalty: number; lastTokens: number }
      maxTokens: number
      temperature: number
      seed: number
      signal: AbortSignal
      stopOnAbortSignal: false
      onTextChunk?: (text: string) => void
    },
  ): Promise<{ responseText: string; stopReason: string }>
  dispose(options: { disposeSequence: boolean }): void
}
type LlamaContext = { getSequence(): Disposable; dispose(): Promise<void> }
export type LlamaWeights = {
  readonly createContext: (options: { contextSize: number; threads: number }) => Promise<LlamaContext>
  readonly tokenize: (text: string) => readonly unknown[]
}
export type Llama = {
  readonly loadModel: (options: { modelPath: string }) => Promise<LlamaWeights>
  readonly createGrammarForJsonSchema: (schema: JsonObject) => Promise<object>
}

const Manifest = z.object({ exports: z.object({ '.': z.object({ import: z.string() }) }) })

const HOW =
  `install it beside the weights: npm install --prefix FOLDER --omit=optional --ignore-scripts ${PACKAGE}@3 @node-llama-cpp/linux-x64@3 ` +
  '(mac-arm64-metal, win-x64, … on other machines)'

const missing = (folder: string, cause?: unknown): Fault =>
  new Fault(
    'model.none_configured',
    `Weights in this process need the package ${PACKAGE}, which is not installed: ${HOW.replace('FOLDER', folder)}`,
    { package: PACKAGE },
    { cause },
  )

/** Loads the engine. Throws `model.none_configured` with what to type (L1). */
export const loadLlamaEngine = async (modelsDir: string): Promise<LlamaEngine> => {
  try {
    return (await import(PACKAGE)) as LlamaEngine // Its types are not there; the shape above is what its version 3 has.
  } catch {
    const folder = join(modelsDir, 'node_modules', PACKAGE) // L2
    const manifest = join(folder, 'package.json')
    if (!existsSync(manifest)) throw missing(modelsDir)
    const read = Manifest.safeParse(JSON.parse(await readFile(manifest, 'utf8')))
    if (!read.success) throw missing(modelsDir, read.error)
    return (await import(pathToFileURL(join(folder, read.data.exports['.'].import)).href)) as LlamaEngine // As above.
  }
}

/** Whether the engine is where it would be looked for beside the weights. */
export const hasLlamaEngine = (modelsDir: string): boolean => existsSync(join(modelsDir, 'node_modules', PACKAGE, 'package.json'))
